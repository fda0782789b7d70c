/** Exact TopK on GPUs: kernels/topk_{blockmax,select,exact,merge}.wgsl. */
import blockmaxSource from "../../kernels/topk_blockmax.wgsl" with { type: "text" };
import exactSource from "../../kernels/topk_exact.wgsl" with { type: "text" };
import logitOrderSource from "../../kernels/logit_order.wgsl" with { type: "text" };
import mergeSource from "../../kernels/topk_merge.wgsl" with { type: "text" };
import orderSource from "../../kernels/order_logits.wgsl" with { type: "text" };
import selectSource from "../../kernels/topk_select.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { type Allocated, GpuError } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";
import type { TopKEntries, TopKFinder, TopKShape } from "./topk.ts";

/** Columns per block of the first pass. */
const BLOCK = 64;

/** vec4s of logits per invocation. */
const SPAN = 4;

/** Finds the TopK of a row with a workgroup, in its memory. */
export class TileTopK implements TopKFinder {
  readonly #gpu: Gpu;
  readonly #shape: TopKShape;
  readonly #capacity: number;
  readonly #owned: Disposable;
  readonly #maxima: Allocated<GPUBuffer>;
  readonly #overflow: Allocated<GPUBuffer>;
  /** Entries of later columns, before they are merged. */
  readonly #values: Allocated<GPUBuffer>;
  readonly #indices: Allocated<GPUBuffer>;

  /** @throws GpuError for rows too wide for workgroup memory */
  constructor(gpu: Gpu, shape: TopKShape) {
    const { k, rows, stride, capacity = Math.max(512, 4 * k) } = shape;
    const memory = stride / BLOCK * 8 + capacity * 8 + 128;
    if (memory > gpu.limits.maxComputeWorkgroupStorageSize) {
      throw new GpuError(`rows of ${stride} values are too wide for this adapter's TopK`);
    }
    using undo = new DisposableStack();
    this.#gpu = gpu;
    this.#shape = shape;
    this.#capacity = capacity;
    this.#maxima = undo.use(gpu.buffer("block maxima", rows * stride / BLOCK * 4));
    this.#overflow = undo.use(gpu.buffer("TopK overflow", rows * 4));
    this.#values = undo.use(gpu.buffer("TopK values of later columns", rows * k * 4));
    this.#indices = undo.use(gpu.buffer("TopK indices of later columns", rows * k * 4));
    this.#owned = undo.move();
  }

  record(recorder: Recorder, pre: Rows, first: number, entries: TopKEntries): void {
    if (this.#shape.values === "logits") this.#recordOrder(recorder, pre);
    if (first === 0) return this.#recordTopK(recorder, pre, first, entries);
    const later = {
      values: { buffer: this.#values.resource },
      indices: { buffer: this.#indices.resource },
    };
    this.#recordTopK(recorder, pre, first, later);
    this.#recordMerge(recorder, pre.rows, entries, later);
  }

  #recordOrder(recorder: Recorder, logits: Rows): void {
    const gpu = this.#gpu;
    const quads = logits.stride / 4;
    const count = logits.rows * quads;
    const source = logitOrderSource + orderSource;
    recorder.dispatchItems(
      gpu.kernel("order_logits", source, { LANES: gpu.lanes, SPAN }),
      [bindRows(logits)],
      [count, quads, logits.width],
      Math.ceil(count / (gpu.lanes * SPAN)),
    );
  }

  #recordTopK(recorder: Recorder, pre: Rows, first: number, entries: TopKEntries): void {
    const gpu = this.#gpu;
    const { k } = this.#shape;
    const blocks = pre.stride / BLOCK;
    const count = pre.rows * blocks;
    const { resource: maxima } = this.#maxima;
    const { resource: overflow } = this.#overflow;
    const { values, indices } = entries;
    const constants = { LANES: gpu.lanes, K: k };

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

  /** Entries become the TopK of themselves and of `more`, whose indices are all higher. */
  #recordMerge(recorder: Recorder, rows: number, entries: TopKEntries, more: TopKEntries): void {
    const gpu = this.#gpu;
    const kernel = gpu.kernel("topk_merge", mergeSource, { K: this.#shape.k, LANES: gpu.lanes });
    const bindings = [entries.values, entries.indices, more.values, more.indices];
    recorder.dispatchItems(kernel, bindings, [rows], rows);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
