/** The skip connection of an SAE: x W_skipᵀ, which is added to what it decodes. */
import type { Gpu } from "../gpu/device.ts";
import { prepareMatMul, recordMatMul } from "../gpu/matmul.ts";
import { type Matrix, uploadMatrix } from "../gpu/matrix.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import type { Sae } from "./sae.ts";

/** W_skip on the GPU. */
export class Skip implements Disposable {
  readonly #gpu: Gpu;
  readonly #matrix: Matrix;
  readonly #output: OwnedRows;

  private constructor(gpu: Gpu, matrix: Matrix, output: OwnedRows) {
    this.#gpu = gpu;
    this.#matrix = matrix;
    this.#output = output;
  }

  /**
   * Uploads an SAE's skip connection.
   *
   * @param tokens most tokens of a call
   * @returns undefined for an SAE without one
   */
  static async of(gpu: Gpu, { skip, inputSize }: Sae, tokens: number): Promise<Skip | undefined> {
    if (!skip) return undefined;
    prepareMatMul(gpu, tokens, inputSize);
    using undo = new DisposableStack();
    const output = undo.use(allocateRows(gpu, "skipped", tokens, inputSize));
    const matrix = await uploadMatrix(gpu, skip);
    undo.move();
    return new Skip(gpu, matrix, output);
  }

  /** Records x W_skipᵀ; the result lies there until the next call. */
  record(recorder: Recorder, x: Rows): Rows {
    const output = rowsBetween(this.#output, 0, x.rows);
    recordMatMul(this.#gpu, recorder, x, this.#matrix, output);
    return output;
  }

  [Symbol.dispose](): void {
    this.#matrix[Symbol.dispose]();
    this.#output[Symbol.dispose]();
  }
}
