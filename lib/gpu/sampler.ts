/** Drawing tokens from logits: the exact TopK, then kernels/sample.wgsl. */
import sampleSource from "../../kernels/sample.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Allocated } from "./memory.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import type { Rows } from "./rows.ts";
import { MOST_K, TopK, type TopKEntries } from "./topk.ts";

/** How a token is drawn: temperature, then top-k, then top-p. */
export interface Sampling {
  /** 0: always the most probable token, of equal ones that with the lower id. */
  readonly temperature: number;
  /** Most tokens that are drawn from: 1 to {@linkcode MOST_TOP_K}. */
  readonly topK: number;
  /** Share of the probability, of those `topK`, that is drawn from: the smallest set that reaches it. */
  readonly topP: number;
}

/** Largest top-k. */
export const MOST_TOP_K = MOST_K;

/** Draws one token for each of some rows of logits. Owns the memory that takes. */
export class Sampler implements Disposable {
  readonly #gpu: Gpu;
  readonly #sampling: Sampling;
  readonly #k: number;
  readonly #topK: TopK;
  readonly #values: Allocated<GPUBuffer>;
  readonly #indices: Allocated<GPUBuffer>;

  /**
   * @param rows most rows of one draw
   * @param stride most floats of a row of a block of logits
   * @throws GpuError for a top-k above MOST_TOP_K or blocks too wide for this adapter's TopK
   */
  constructor(gpu: Gpu, sampling: Sampling, rows: number, stride: number) {
    const k = sampling.temperature === 0 ? 1 : sampling.topK;
    const buffer = (label: string) => undo.use(gpu.buffer(label, rows * k * 4));
    using undo = new DisposableStack();
    this.#gpu = gpu;
    this.#sampling = sampling;
    this.#k = k;
    this.#topK = undo.use(new TopK(gpu, k, rows, stride, { values: "logits" }));
    this.#values = buffer("largest logits");
    this.#indices = buffer("most probable tokens");
    undo.move();
  }

  /**
   * Records that a block of logits is taken into account. For each row the blocks come in the order of
   * the vocabulary, from its first token on.
   *
   * @param logits of rows `firstRow` on and of tokens `firstToken` on; they may be overwritten
   * @param firstRow a multiple of 64, so that parts of buffers can be bound
   */
  record(recorder: Recorder, logits: Rows, firstRow: number, firstToken: number): void {
    this.#topK.record(recorder, logits, firstToken, this.#entries(firstRow, logits.rows));
  }

  /**
   * Records the draw, once all blocks are recorded.
   *
   * @param seeds [rows] of two u32 each: key of the row's random numbers
   * @param step counter of the random numbers: tokens drawn for these rows before
   * @param ids [rows] u32, what is drawn
   */
  recordDraw(
    recorder: Recorder,
    rows: number,
    seeds: GPUBufferBinding,
    step: number,
    ids: GPUBufferBinding,
  ): void {
    const gpu = this.#gpu;
    const { temperature, topP } = this.#sampling;
    const { values, indices } = this.#entries(0, rows);
    const kernel = gpu.kernel("sample", sampleSource, { LANES: gpu.lanes, K: this.#k });
    recorder.dispatchItems(
      kernel,
      [values, indices, seeds, ids],
      [rows, step, floatBits(temperature === 0 ? 1 : 1 / temperature), floatBits(topP)],
      Math.ceil(rows / gpu.lanes),
    );
  }

  #entries(firstRow: number, rows: number): TopKEntries {
    const part = ({ resource }: Allocated<GPUBuffer>) => ({
      buffer: resource,
      offset: firstRow * this.#k * 4,
      size: rows * this.#k * 4,
    });
    return { values: part(this.#values), indices: part(this.#indices) };
  }

  [Symbol.dispose](): void {
    for (const owned of [this.#topK, this.#values, this.#indices]) owned[Symbol.dispose]();
  }
}
