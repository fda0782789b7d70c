/** The skip connection x W_skipᵀ of a coder, and its gradient. */
import { ChangingMatrix } from "../gpu/changing_matrix.ts";
import type { Gpu } from "../gpu/device.ts";
import { recordAdd } from "../gpu/elementwise.ts";
import { prepareMatMul, recordMatMul } from "../gpu/matmul.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import { recordTransposeRows } from "../gpu/transpose_rows.ts";
import type { Parameter } from "./parameter.ts";

/** Residuals with what turns them into gradients of the output. */
export interface ScaledResiduals {
  readonly residuals: Rows;
  readonly factor: { readonly values: GPUBuffer; readonly at: number };
}

/** Computes with W_skip [inputSize, inputSize] on chunks of tokens. */
export class SkipConnection implements Disposable {
  readonly #gpu: Gpu;
  readonly #parameter: Parameter;
  readonly #owned = new DisposableStack();
  readonly #matrix: ChangingMatrix;
  readonly #output: OwnedRows;
  /** [inputSize, tokens]: inputs and gradients of the output, tokens as columns. */
  readonly #inputs: OwnedRows;
  readonly #gradients: OwnedRows;
  readonly #inputMatrix: ChangingMatrix;
  readonly #product: OwnedRows;

  /** @param tokens most tokens of a chunk */
  constructor(gpu: Gpu, parameter: Parameter, tokens: number) {
    this.#gpu = gpu;
    this.#parameter = parameter;
    const { width } = parameter.values;
    prepareMatMul(gpu, width, tokens);
    const rows = (label: string, count: number, columns: number) =>
      this.#owned.use(allocateRows(gpu, label, count, columns));
    this.#matrix = this.#owned.use(new ChangingMatrix(gpu, "W_skip", parameter.values));
    this.#output = rows("skipped", tokens, width);
    this.#inputs = rows("skip inputs", width, tokens);
    this.#gradients = rows("skip gradients", width, tokens);
    this.#inputMatrix = this.#owned.use(new ChangingMatrix(gpu, "skip inputs", this.#inputs));
    this.#product = rows("skip product", width, width);
  }

  /** Records that products from here on see the weights as they are now. */
  recordRefresh(recorder: Recorder): void {
    this.#matrix.record(recorder);
  }

  /** Records x W_skipᵀ; the result lies there until the next call. */
  recordForward(recorder: Recorder, x: Rows): Rows {
    const output = rowsBetween(this.#output, 0, x.rows);
    recordMatMul(this.#gpu, recorder, x, this.#matrix, output);
    return output;
  }

  /** Records dW_skip += (Σ factor · residuals)ᵀ x. */
  recordBackward(recorder: Recorder, x: Rows, gradients: readonly ScaledResiduals[]): void {
    const gpu = this.#gpu;
    for (const [i, { residuals, factor }] of gradients.entries()) {
      recordTransposeRows(gpu, recorder, residuals, this.#gradients, { factor, add: i > 0 });
    }
    recordTransposeRows(gpu, recorder, x, this.#inputs);
    this.#inputMatrix.record(recorder);
    recordMatMul(gpu, recorder, this.#gradients, this.#inputMatrix, this.#product);
    recordAdd(gpu, recorder, this.#parameter.gradient, this.#product);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
