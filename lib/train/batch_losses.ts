/**
 * The losses of a batch, and what its residuals give to the output's bias (spec train-and-interpret
 * A.1, steps 4 to 7). Means and sums are over the whole batch, by blocks of tokens that do not depend
 * on how the batch is cut into chunks.
 */
import {
  recordColumnSums,
  recordSumPartials,
  SUMMED_ROWS,
  summedBlocks,
} from "../gpu/column_sums.ts";
import type { Gpu } from "../gpu/device.ts";
import { FACTOR, FACTOR_BYTES, LOSS_VALUES, recordLosses, recordLossFactors } from "../gpu/fvu.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import { type CoderShape } from "./shape.ts";
import { type Purpose, PURPOSES } from "./sections.ts";

/** Losses of one batch. A part that the coder does without is 0. */
export interface Losses {
  /** Fraction of variance unexplained: Σ (y - out)² / Σ (y - mean(y))². */
  readonly fvu: number;
  /** Unweighted: dead latents' reconstruction of what is left over. */
  readonly auxk: number;
  /** FVU of the output by 4 k latents. */
  readonly multiTopk: number;
  /** Dead latents when the batch began. */
  readonly dead: number;
}

/** A stretch of a batch that is computed at once: rows `from` (inclusive) to `to` (exclusive). */
export interface Chunk {
  /** A multiple of {@linkcode SUMMED_ROWS}. */
  readonly from: number;
  readonly to: number;
}

const LOSS_BYTES = LOSS_VALUES * 4;

/** Computes the losses of batches and keeps them until they are read. */
export class BatchLosses implements Disposable {
  /** What turns residuals into gradients: see gpu/fvu.ts. */
  readonly factors: GPUBuffer;
  readonly #gpu: Gpu;
  readonly #shape: CoderShape;
  readonly #owned = new DisposableStack();
  readonly #dead: GPUBuffer;
  /** [blocks, inputSize] of every part of the loss. */
  readonly #sums: Record<Purpose, OwnedRows>;
  readonly #squares: Record<Purpose, OwnedRows>;
  /** [1, inputSize] */
  readonly #mean: OwnedRows;
  readonly #variation: OwnedRows;
  /** [parts of the loss, inputSize] */
  readonly #totals: OwnedRows;
  readonly #losses: GPUBuffer;
  readonly #history: GPUBuffer;
  #kept = 0;

  /**
   * @param dead [1] u32: dead latents
   * @param batchTokens most tokens of a batch
   * @param mostBatches batches whose losses are kept until they are read
   */
  constructor(
    gpu: Gpu,
    shape: CoderShape,
    dead: GPUBuffer,
    batchTokens: number,
    readonly mostBatches: number,
  ) {
    this.#gpu = gpu;
    this.#shape = shape;
    this.#dead = dead;
    const rows = (label: string, count: number) =>
      this.#owned.use(allocateRows(gpu, label, count, shape.inputSize));
    const blocks = summedBlocks(batchTokens);
    const partials = (label: string): Record<Purpose, OwnedRows> => ({
      output: rows(`${label} of the output`, blocks),
      auxk: rows(`${label} of AuxK`, shape.auxkAlpha > 0 ? blocks : 1),
      multiTopk: rows(`${label} of Multi-TopK`, shape.multiTopk ? blocks : 1),
    });
    this.#sums = partials("sums");
    this.#squares = partials("squares");
    this.#mean = rows("mean target", 1);
    this.#variation = rows("variation of targets", 1);
    this.#totals = rows("squared residuals", PURPOSES.length);
    const buffer = (label: string, bytes: number) =>
      this.#owned.use(gpu.buffer(label, bytes)).resource;
    this.factors = buffer("loss factors", FACTOR_BYTES);
    this.#losses = buffer("losses", LOSS_BYTES);
    this.#history = buffer("losses of batches", mostBatches * LOSS_BYTES);
  }

  /**
   * Records the mean of a matrix over its rows.
   *
   * @param y [tokens, inputSize]
   * @returns where it lies until the next call or batch
   */
  recordMean(recorder: Recorder, y: Rows, chunks: readonly Chunk[]): Rows {
    const gpu = this.#gpu;
    const sums = this.#sums.output;
    for (const { from, to } of chunks) {
      recordColumnSums(gpu, recorder, rowsBetween(y, from, to), { sums }, from / SUMMED_ROWS);
    }
    const blocks = rowsBetween(sums, 0, summedBlocks(y.rows));
    recordSumPartials(gpu, recorder, blocks, this.#mean, { scale: 1 / y.rows });
    return this.#mean;
  }

  /**
   * Records what there is to know of the targets before the batch.
   *
   * @param y [tokens, inputSize]
   * @param step what the whole loss is multiplied by in gradients
   */
  recordTargets(recorder: Recorder, y: Rows, chunks: readonly Chunk[], step: number): void {
    const gpu = this.#gpu;
    const centre = this.recordMean(recorder, y, chunks);
    const squares = this.#squares.output;
    for (const { from, to } of chunks) {
      const targets = rowsBetween(y, from, to);
      recordColumnSums(gpu, recorder, targets, { squares, centre }, from / SUMMED_ROWS);
    }
    const blocks = rowsBetween(squares, 0, summedBlocks(y.rows));
    recordSumPartials(gpu, recorder, blocks, this.#variation, { scale: 1 });
    const { auxkAlpha: alpha, inputSize } = this.#shape;
    const scale = { step, alpha, half: Math.floor(inputSize / 2) };
    recordLossFactors(gpu, recorder, this.#variation, this.#dead, this.factors, scale);
  }

  /** Records the residuals of a chunk for one part of the loss. */
  recordResiduals(recorder: Recorder, purpose: Purpose, residuals: Rows, { from }: Chunk): void {
    const into = { sums: this.#sums[purpose], squares: this.#squares[purpose] };
    recordColumnSums(this.#gpu, recorder, residuals, into, from / SUMMED_ROWS);
  }

  /** Records db += the gradient that the whole batch's residuals of one part of the loss are. */
  recordBiasGradient(recorder: Recorder, purpose: Purpose, tokens: number, gradient: Rows): void {
    const blocks = rowsBetween(this.#sums[purpose], 0, summedBlocks(tokens));
    const factor = { values: this.factors, at: FACTOR[purpose] };
    recordSumPartials(this.#gpu, recorder, blocks, gradient, { scale: 1, factor, add: true });
  }

  /**
   * Records the losses of the batch.
   *
   * @param purposes parts of the loss that were computed; the others are 0
   * @throws RangeError when more batches are kept than there is room for
   */
  recordEnd(recorder: Recorder, purposes: readonly Purpose[], tokens: number): void {
    if (this.#kept === this.mostBatches) {
      throw new RangeError(`losses of ${this.mostBatches} batches have not been read`);
    }
    recorder.clear(this.#totals.buffer);
    for (const purpose of purposes) {
      const row = PURPOSES.indexOf(purpose);
      const blocks = rowsBetween(this.#squares[purpose], 0, summedBlocks(tokens));
      const total = rowsBetween(this.#totals, row, row + 1);
      recordSumPartials(this.#gpu, recorder, blocks, total, { scale: 1 });
    }
    const losses = { buffer: this.#losses };
    recordLosses(this.#gpu, recorder, this.#totals, this.#dead, this.factors, losses);
    recorder.copy(this.#losses, 0, this.#history, this.#kept++ * LOSS_BYTES, LOSS_BYTES);
  }

  /** Reads the losses of all batches since the last call, in their order. */
  async take(): Promise<Losses[]> {
    if (this.#kept === 0) return [];
    const kept = this.#kept;
    this.#kept = 0;
    const values = new Float32Array(await this.#gpu.read(this.#history, 0, kept * LOSS_BYTES));
    return Array.from({ length: kept }, (_, i) => {
      const [fvu, auxk, multiTopk, dead] = values.subarray(i * LOSS_VALUES);
      return { fvu, auxk, multiTopk, dead };
    });
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
