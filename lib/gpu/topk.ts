/** Exact TopK of activations: kernels/topk_{blockmax,select,exact,merge}.wgsl. */
import blockmaxSource from "../../kernels/topk_blockmax.wgsl" with { type: "text" };
import exactSource from "../../kernels/topk_exact.wgsl" with { type: "text" };
import mergeSource from "../../kernels/topk_merge.wgsl" with { type: "text" };
import selectSource from "../../kernels/topk_select.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { type Allocated, GpuError } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** TopK entries of some tokens: values descending, ties by lower index. */
export interface TopKEntries {
  /** [tokens, k] f32 */
  readonly values: GPUBufferBinding;
  /** [tokens, k] u32 */
  readonly indices: GPUBufferBinding;
}

/** Columns per block of the first pass. */
const BLOCK = 64;

/** Largest k: bounds workgroup memory and the loops that rank candidates. */
export const MOST_K = 512;

/** Finds the k largest values of each row. Owns the scratch memory that takes. */
export class TopK implements Disposable {
  readonly #gpu: Gpu;
  readonly #lanes: number;
  readonly #capacity: number;
  readonly #maxima: Allocated<GPUBuffer>;
  readonly #overflow: Allocated<GPUBuffer>;

  /**
   * @param k values per row
   * @param rows most rows of one call
   * @param stride of the rows
   * @param capacity of the short list of candidates; by default ample for real activations. Longer
   *   lists take a slower path to the same result.
   * @throws GpuError for a k above MOST_K or rows too wide for workgroup memory
   */
  constructor(gpu: Gpu, readonly k: number, rows: number, stride: number, capacity?: number) {
    if (k > MOST_K) {
      throw new GpuError(`k = ${k} is more than this program's TopK can find (${MOST_K})`);
    }
    this.#gpu = gpu;
    this.#capacity = capacity ?? Math.max(512, 4 * k);
    // Long lists and wide rows are shared by more threads: some drivers stop a thread's loops
    // after 65,535 rounds.
    this.#lanes = this.#capacity > 512 || stride > 2 ** 17 ? 64 : gpu.lanes;
    const memory = stride / BLOCK * 8 + this.#capacity * 8 + 128;
    if (memory > gpu.limits.maxComputeWorkgroupStorageSize) {
      throw new GpuError(`rows of ${stride} values are too wide for this adapter's TopK`);
    }
    this.#maxima = gpu.buffer("block maxima", rows * stride / BLOCK * 4);
    this.#overflow = gpu.buffer("TopK overflow", rows * 4);
  }

  /**
   * Records the TopK of `pre` (not negative; padding zero).
   *
   * @param first index of column 0
   */
  record(recorder: Recorder, pre: Rows, first: number, entries: TopKEntries): void {
    const gpu = this.#gpu;
    const blocks = pre.stride / BLOCK;
    const count = pre.rows * blocks;
    const { resource: maxima } = this.#maxima;
    const { resource: overflow } = this.#overflow;
    const { values, indices } = entries;
    const constants = { LANES: this.#lanes, K: this.k };

    const blockmax = gpu.kernel("topk_blockmax", blockmaxSource, { LANES: gpu.lanes });
    recorder.dispatchItems(
      blockmax,
      [bindRows(pre), maxima],
      [count],
      Math.ceil(count / gpu.lanes),
    );

    const select = gpu.kernel("topk_select", selectSource, {
      ...constants,
      BLOCKS: blocks,
      CAPACITY: this.#capacity,
    });
    const selected = [bindRows(pre), maxima, values, indices, overflow];
    recorder.dispatchItems(select, selected, [pre.rows, pre.width, blocks, first], pre.rows);

    const exact = gpu.kernel("topk_exact", exactSource, constants);
    const pending = [bindRows(pre), values, indices, overflow];
    recorder.dispatchItems(exact, pending, [pre.rows, blocks, first], pre.rows);
  }

  [Symbol.dispose](): void {
    this.#maxima[Symbol.dispose]();
    this.#overflow[Symbol.dispose]();
  }
}

/** Records: `entries` becomes the TopK of itself and of `more`, whose indices are all higher. */
export function recordTopKMerge(
  gpu: Gpu,
  recorder: Recorder,
  k: number,
  rows: number,
  entries: TopKEntries,
  more: TopKEntries,
): void {
  const kernel = gpu.kernel("topk_merge", mergeSource, { K: k, LANES: k > 128 ? 64 : gpu.lanes });
  const bindings = [entries.values, entries.indices, more.values, more.indices];
  recorder.dispatchItems(kernel, bindings, [rows], rows);
}
