/** Exact TopK of activations or logits, by the kernels of each family. */
import type { Gpu } from "./device.ts";
import { GpuError } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import type { Rows } from "./rows.ts";
import { TextureTopK } from "./topk_texture.ts";
import { TileTopK } from "./topk_tile.ts";

/** TopK entries of some tokens: values descending, ties by lower index. */
export interface TopKEntries {
  /** [tokens, k] f32 */
  readonly values: GPUBufferBinding;
  /** [tokens, k] u32 */
  readonly indices: GPUBufferBinding;
}

/** Largest k: bounds workgroup memory and the loops that rank candidates. */
export const MOST_K = 512;

/**
 * What rows hold: `activations`, not negative and with zero padding, or `logits` of any sign, which
 * the entries give as positive floats in the same order (kernels/logit_order.wgsl).
 */
export type TopKValues = "activations" | "logits";

/** What a TopK is made for. */
export interface TopKShape {
  /** Values per row. */
  readonly k: number;
  /** Most rows of one call. */
  readonly rows: number;
  /** Largest stride of the rows. */
  readonly stride: number;
  readonly values: TopKValues;
  /**
   * Most candidates of the short list; by default ample for real activations. Longer lists take a
   * slower path to the same result.
   */
  readonly capacity?: number;
}

/** How a family of kernels finds the TopK. */
export interface TopKFinder extends Disposable {
  /** See {@linkcode TopK.record}. */
  record(recorder: Recorder, pre: Rows, first: number, entries: TopKEntries): void;
}

/** Finds the k largest values of each row. Owns the scratch memory that takes. */
export class TopK implements Disposable {
  readonly #finder: TopKFinder;

  /**
   * @param k values per row
   * @param rows most rows of one call
   * @param stride largest stride of the rows
   * @throws GpuError for a k above MOST_K or rows too wide for this adapter
   */
  constructor(
    gpu: Gpu,
    readonly k: number,
    rows: number,
    stride: number,
    { values = "activations", capacity }: Partial<Pick<TopKShape, "values" | "capacity">> = {},
  ) {
    if (k > MOST_K) {
      throw new GpuError(`k = ${k} is more than this program's TopK can find (${MOST_K})`);
    }
    const shape = { k, rows, stride, values, capacity };
    this.#finder = gpu.identity.family === "texture"
      ? new TextureTopK(gpu, shape)
      : new TileTopK(gpu, shape);
  }

  /**
   * Records the TopK of the columns of `pre`. From column 0 on the entries are found anew; with
   * later columns they become the TopK of themselves and of these.
   *
   * @param pre may be overwritten when it holds logits
   * @param first index of column 0 of `pre`, above all indices among the entries
   * @param entries where the TopK of each row goes
   */
  record(recorder: Recorder, pre: Rows, first: number, entries: TopKEntries): void {
    this.#finder.record(recorder, pre, first, entries);
  }

  [Symbol.dispose](): void {
    this.#finder[Symbol.dispose]();
  }
}
