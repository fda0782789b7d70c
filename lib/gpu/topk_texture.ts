/** Exact TopK on software Vulkan: kernels/topk_texture_{maxima,select,exact,rank}.wgsl. */
import exactSource from "../../kernels/topk_texture_exact.wgsl" with { type: "text" };
import logitOrderSource from "../../kernels/logit_order.wgsl" with { type: "text" };
import maximaSource from "../../kernels/topk_texture_maxima.wgsl" with { type: "text" };
import rankSource from "../../kernels/topk_texture_rank.wgsl" with { type: "text" };
import selectSource from "../../kernels/topk_texture_select.wgsl" with { type: "text" };
import valuesSource from "../../kernels/topk_texture_values.wgsl" with { type: "text" };
import type { Gpu, Kernel } from "./device.ts";
import { type Allocated, GpuError } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { type Rows, rowsBetween } from "./rows.ts";
import type { TopKEntries, TopKFinder, TopKShape } from "./topk.ts";

/** Rows at a time: bounds the lists, and is enough for many cores. */
const MOST_ROWS = 1024;

/** Invocations of a workgroup; the wider vectors of a CPU have 16 lanes. */
const LANES = 16;

/** Those of a workgroup of the first pass, which has far more of them. */
const MAXIMA_LANES = 64;

/** Lengths of a list that stand for what it is instead (kernels/topk_texture_select.wgsl). */
const STATES = { OVERFULL: 0xffffffff, UNDERFULL: 0xfffffffe };

/** A cache line of texels: rows a power of two apart would share their cache sets. */
const PAD = 4;

/** Finds the TopK of a row with one invocation, which reads textures only. */
export class TextureTopK implements TopKFinder {
  readonly #gpu: Gpu;
  readonly #shape: TopKShape;
  readonly #rows: number;
  /** Slots of a list: candidates behind the k entries of earlier columns. */
  readonly #slots: number;
  /** Columns of a block of the first pass. */
  readonly #block: number;
  readonly #owned: Disposable;
  readonly #pre: Allocated<GPUTexture>;
  readonly #maxima: Allocated<GPUTexture>;
  readonly #listValues: Allocated<GPUBuffer>;
  readonly #listIndices: Allocated<GPUBuffer>;
  readonly #list: Allocated<GPUTexture>;
  readonly #hits: Allocated<GPUBuffer>;
  readonly #counts: Allocated<GPUBuffer>;

  /** @throws GpuError for rows too wide for a texture */
  constructor(gpu: Gpu, shape: TopKShape) {
    const { k, stride, capacity = Math.max(256, 4 * k) } = shape;
    if (stride / 4 + PAD > gpu.limits.maxTextureDimension2D) {
      throw new GpuError(`rows of ${stride} values are too wide for this adapter's TopK`);
    }
    using undo = new DisposableStack();
    const rows = Math.min(Math.ceil(shape.rows / 64) * 64, MOST_ROWS);
    const slots = Math.ceil((Math.max(capacity, k) + k) / 64) * 64;
    const texture = (label: string, texels: number) =>
      undo.use(gpu.texture(label, texels + PAD, rows, "rgba32uint"));
    const lists = (label: string) => undo.use(gpu.buffer(label, rows * slots * 4));
    this.#gpu = gpu;
    this.#shape = shape;
    this.#rows = rows;
    this.#slots = slots;
    this.#block = columnsPerBlock(stride, k);
    this.#pre = texture("TopK operand", stride / 4);
    this.#maxima = texture("block maxima", maximaTexels(stride, this.#block));
    this.#listValues = lists("values of TopK candidates");
    this.#listIndices = lists("indices of TopK candidates");
    this.#list = texture("TopK candidates", slots / 4);
    this.#hits = lists("blocks with TopK candidates");
    this.#counts = undo.use(gpu.buffer("numbers of TopK candidates", rows * 4));
    this.#owned = undo.move();
  }

  record(recorder: Recorder, pre: Rows, first: number, entries: TopKEntries): void {
    const { k } = this.#shape;
    for (let from = 0; from < pre.rows; from += this.#rows) {
      const some = rowsBetween(pre, from, Math.min(pre.rows, from + this.#rows));
      this.#recordSome(recorder, some, first, {
        values: rowsOf(entries.values, from, some.rows, k),
        indices: rowsOf(entries.indices, from, some.rows, k),
      });
    }
  }

  #recordSome(recorder: Recorder, pre: Rows, first: number, entries: TopKEntries): void {
    const { k } = this.#shape;
    const { rows, stride } = pre;
    const { resource: operand } = this.#pre;
    const { resource: maxima } = this.#maxima;
    const { resource: listValues } = this.#listValues;
    const { resource: listIndices } = this.#listIndices;
    const { resource: list } = this.#list;
    const { resource: counts } = this.#counts;
    const { values, indices } = entries;
    const block = this.#block;
    const quads = maximaTexels(stride, block);
    const params = [rows, pre.width, stride / 4, quads, first, first === 0 ? 0 : k, k, this.#slots];
    const across = Math.min(MAXIMA_LANES, largestPowerIn(quads));
    const down = MAXIMA_LANES / across;
    const groups = [Math.ceil(rows / LANES), 1] as const;

    recorder.copyToTexture(
      { buffer: pre.buffer, offset: pre.offset, bytesPerRow: stride * 4 },
      operand,
      stride / 4,
      rows,
    );
    recorder.dispatch(
      this.#kernel("maxima", maximaSource, { QUADS: across, ROWS: down, BLOCK: block }),
      [operand, maxima],
      params,
      [quads / across, Math.ceil(rows / down)],
    );
    recorder.dispatch(
      this.#kernel("select", selectSource, {
        LANES,
        ...STATES,
        BLOCK: block,
        PARTS: block > 32 ? 2 : 1,
      }),
      [operand, maxima, values, indices, listValues, listIndices, this.#hits.resource, counts],
      params,
      groups,
    );
    recorder.dispatch(
      this.#kernel("exact", exactSource, { LANES, ...STATES }),
      [operand, listValues, listIndices, counts],
      params,
      groups,
    );
    recorder.copyToTexture(
      { buffer: listValues, offset: 0, bytesPerRow: this.#slots * 4 },
      list,
      this.#slots / 4,
      rows,
    );
    recorder.dispatch(
      this.#gpu.kernel("topk_texture_rank", rankSource, { LANES }),
      [list, listIndices, counts, values, indices],
      [k, this.#slots],
      [rows, 1],
    );
  }

  #kernel(pass: string, source: string, constants: Record<string, number>): Kernel {
    const { values } = this.#shape;
    const order = values === "logits" ? logitOrderSource : "";
    const name = `topk_texture_${pass}`;
    return this.#gpu.kernel(name, order + valuesSource + source, { ...constants, VALUES: values });
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/**
 * Columns of a block, 4 to 64 and a power of two. Finding the K-th largest maximum reads all maxima
 * 8 times, and the elements of K blocks are then read for candidates: √(8 stride / K) columns are least
 * work. There should be 2 K blocks, so that few of them have more than one candidate.
 */
function columnsPerBlock(stride: number, k: number): number {
  const columns = Math.min(Math.sqrt(8 * stride / k), stride / (2 * k));
  return 2 ** Math.min(6, Math.max(2, Math.floor(Math.log2(columns))));
}

/** Texels of the block maxima of a row, in whole eights. */
function maximaTexels(stride: number, block: number): number {
  return Math.ceil(stride / block / 32) * 8;
}

/** The largest power of two that divides a number. */
function largestPowerIn(n: number): number {
  return n & -n;
}

/** The entries of some rows. */
function rowsOf(all: GPUBufferBinding, from: number, rows: number, k: number): GPUBufferBinding {
  return { buffer: all.buffer, offset: (all.offset ?? 0) + from * k * 4, size: rows * k * 4 };
}
