/** Xᵀ X and the norm of long matrices, a part of their rows at a time. */
import { bindableRanges, ChangingMatrix } from "../../gpu/changing_matrix.ts";
import { recordColumnSums, recordSumPartials, summedBlocks } from "../../gpu/column_sums.ts";
import type { Gpu } from "../../gpu/device.ts";
import { recordAdd } from "../../gpu/elementwise.ts";
import { prepareMatMul, recordMatMul } from "../../gpu/matmul.ts";
import { GpuError } from "../../gpu/memory.ts";
import { recordNorm } from "../../gpu/newton_schulz.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween, strideOf } from "../../gpu/rows.ts";
import { recordTransposeRows } from "../../gpu/transpose_rows.ts";

/** Rows of X that are multiplied at a time. */
const CHUNK_ROWS = 1024;

/** Computes Xᵀ X, [columns, columns], and ‖X‖ of matrices of one width. */
export class Gram implements Disposable {
  /** [columns, columns] */
  readonly a: OwnedRows;
  /** [columns or rows of a chunk, columns], for whoever needs it between calls. */
  readonly scratch: OwnedRows;
  /** One value: ‖X‖ + 1e-7. */
  readonly norm: OwnedRows;
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #chunk: number;
  /** [columns, chunk]: some rows of X as columns. */
  readonly #transposed: OwnedRows;
  readonly #factor: ChangingMatrix;
  /** [blocks of rows, columns] and [1, columns]: sums of squares. */
  readonly #partials: OwnedRows;
  readonly #squares: OwnedRows;

  /**
   * @param mostRows, columns of the matrices
   * @throws GpuError when squares of so many columns do not fit this adapter or the memory budget
   */
  constructor(gpu: Gpu, mostRows: number, columns: number) {
    if (columns * strideOf(columns) * 4 > gpu.limits.maxStorageBufferBindingSize) {
      throw new GpuError(
        `muon needs matrices of ${columns} × ${columns}, larger than this adapter binds: train with signum or adam`,
      );
    }
    this.#gpu = gpu;
    this.#chunk = Math.min(mostRows, CHUNK_ROWS);
    const longest = Math.max(columns, this.#chunk);
    prepareMatMul(gpu, longest, columns);
    prepareMatMul(gpu, columns, this.#chunk);
    const rows = (label: string, count: number, width: number) =>
      this.#owned.use(allocateRows(gpu, `muon's ${label}`, count, width));
    this.a = rows("A", columns, columns);
    this.scratch = rows("product", longest, columns);
    this.norm = rows("norm", 1, 1);
    this.#transposed = rows("columns", columns, this.#chunk);
    this.#factor = this.#owned.use(new ChangingMatrix(gpu, "muon's columns", this.#transposed));
    this.#partials = rows("sums of squares", summedBlocks(mostRows), columns);
    this.#squares = rows("sum of squares", 1, columns);
  }

  /** As many rows of the scratch as A has. */
  get square(): Rows {
    return rowsBetween(this.scratch, 0, this.a.rows);
  }

  /** Rows of X that fit the scratch, one after the other. */
  chunksOf(x: Rows): Rows[] {
    const step = this.#chunk;
    return Array.from(
      { length: Math.ceil(x.rows / step) },
      (_, i) => rowsBetween(x, i * step, Math.min(x.rows, (i + 1) * step)),
    );
  }

  /** Records a = Xᵀ X, summed over chunks of rows in their order. */
  record(recorder: Recorder, x: Rows): void {
    recorder.clear(this.a.buffer);
    for (const rows of this.chunksOf(x)) {
      recordTransposeRows(this.#gpu, recorder, rows, this.#transposed);
      this.#factor.record(recorder);
      recordMatMul(this.#gpu, recorder, this.#transposed, this.#factor, this.square);
      recordAdd(this.#gpu, recorder, this.a, this.square);
    }
  }

  /** Records X = X G. */
  recordApply(recorder: Recorder, x: Rows, g: ChangingMatrix): void {
    g.record(recorder);
    for (const rows of this.chunksOf(x)) {
      const product = rowsBetween(this.scratch, 0, rows.rows);
      recordMatMul(this.#gpu, recorder, rows, g, product);
      copyRows(recorder, product, rows);
    }
  }

  /** Records the norm. */
  recordNorm(recorder: Recorder, x: Rows): void {
    const gpu = this.#gpu;
    for (const { first, rows } of bindableRanges(gpu, x.rows, x.stride)) {
      const squares = { squares: this.#partials };
      recordColumnSums(gpu, recorder, rowsBetween(x, first, first + rows), squares, first / 64);
    }
    const partials = rowsBetween(this.#partials, 0, summedBlocks(x.rows));
    recordSumPartials(gpu, recorder, partials, this.#squares, { scale: 1 });
    recordNorm(gpu, recorder, this.#squares, this.norm);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Records a copy of a matrix into another of its size. */
export function copyRows(recorder: Recorder, from: Rows, to: Rows): void {
  const bytes = from.rows * from.stride * 4;
  recorder.copy(from.buffer, from.offset, to.buffer, to.offset, bytes);
}
