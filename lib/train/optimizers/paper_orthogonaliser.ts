/** Muon's Newton–Schulz iteration as sparsify computes it, in bf16. */
import { recordAddRounded, recordRound, recordScaleRounded } from "../../gpu/bf16.ts";
import { ChangingMatrix } from "../../gpu/changing_matrix.ts";
import type { Gpu } from "../../gpu/device.ts";
import { recordMatMul } from "../../gpu/matmul.ts";
import { recordDivide } from "../../gpu/newton_schulz.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween } from "../../gpu/rows.ts";
import { copyRows, Gram } from "./gram.ts";
import { COEFFICIENTS } from "./orthogonaliser.ts";

const ITERATIONS = 5;

/**
 * The same matrices as {@linkcode Orthogonaliser}'s, rounded to bf16 wherever the original rounds:
 * X = a X + X B, B = b A + (c A) A. Products sum in f32, in another order than PyTorch's. Of matrices
 * that have no more rows than columns the original takes X Xᵀ, whose roundings are others.
 */
export class PaperOrthogonaliser implements Disposable {
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #gram: Gram;
  /** [columns, columns]: c A, then B. */
  readonly #b: OwnedRows;
  readonly #factorA: ChangingMatrix;
  readonly #factorB: ChangingMatrix;

  /**
   * @param mostRows, columns of the matrices
   * @throws GpuError when squares of so many columns do not fit this adapter or the memory budget
   */
  constructor(gpu: Gpu, mostRows: number, columns: number) {
    this.#gpu = gpu;
    this.#gram = this.#owned.use(new Gram(gpu, mostRows, columns));
    this.#b = this.#owned.use(allocateRows(gpu, "muon's B", columns, columns));
    this.#factorA = this.#owned.use(new ChangingMatrix(gpu, "muon's A", this.#gram.a));
    this.#factorB = this.#owned.use(new ChangingMatrix(gpu, "muon's B", this.#b));
  }

  /** Records that X is replaced, in place. */
  record(recorder: Recorder, x: Rows): void {
    const gpu = this.#gpu;
    const { norm } = this.#gram;
    recordRound(gpu, recorder, x);
    this.#gram.recordNorm(recorder, x);
    recordRound(gpu, recorder, norm);
    recordDivide(gpu, recorder, x, norm);
    recordRound(gpu, recorder, x);
    for (let i = 0; i < ITERATIONS; i++) {
      this.#gram.record(recorder, x);
      recordRound(gpu, recorder, this.#gram.a);
      this.#recordB(recorder);
      this.#recordIteration(recorder, x);
    }
  }

  /** B = b A + (c A) A */
  #recordB(recorder: Recorder): void {
    const gpu = this.#gpu;
    const { a, square } = this.#gram;
    const [, b, c] = COEFFICIENTS;
    recordScaleRounded(gpu, recorder, this.#b, c, a);
    this.#factorA.record(recorder);
    recordMatMul(gpu, recorder, this.#b, this.#factorA, square);
    recordAddRounded(gpu, recorder, square, b, a);
    copyRows(recorder, square, this.#b);
  }

  /** X = a X + X B */
  #recordIteration(recorder: Recorder, x: Rows): void {
    const gpu = this.#gpu;
    this.#factorB.record(recorder);
    for (const rows of this.#gram.chunksOf(x)) {
      const product = rowsBetween(this.#gram.scratch, 0, rows.rows);
      recordMatMul(gpu, recorder, rows, this.#factorB, product);
      recordAddRounded(gpu, recorder, product, COEFFICIENTS[0], rows);
      copyRows(recorder, product, rows);
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
