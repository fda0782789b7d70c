/** Counts on the GPU: six words per unit, exact and order-free (kernels/accumulate.wgsl). */
import accumulateSource from "../../kernels/accumulate.wgsl" with { type: "text" };
import denseSource from "../../kernels/count_dense.wgsl" with { type: "text" };
import neuronsSource from "../../kernels/count_neurons.wgsl" with { type: "text" };
import topkSource from "../../kernels/count_topk.wgsl" with { type: "text" };
import { type Gpu, ITEM_LANES } from "./device.ts";
import type { Allocated } from "./memory.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { bindRows, type Rows, rowsBetween } from "./rows.ts";
import type { TopKEntries } from "./topk.ts";

const WORDS = 6;

/** Tokens that one dispatch walks: some drivers stop a thread's loops after 65,535 rounds. */
const MOST_TOKENS = 2 ** 15;

/** In place of a token's text: the token is left out of everything. */
export const NOT_COUNTED = 0xffff_ffff;

/** What the tokens of a batch are parts of. */
export interface TokenParts {
  /** [tokens] u32: each token's text, counted within the batch, ascending; or {@linkcode NOT_COUNTED} */
  readonly example: GPUBuffer;
  /** [tokens] u32: each token's group of documents; unused where groups are not counted */
  readonly group?: GPUBuffer;
}

/** What the accumulators of one layer hold, per unit. */
export interface UnitCounts {
  readonly firedTokens: Uint32Array<ArrayBuffer>;
  readonly firedExamples: Uint32Array<ArrayBuffer>;
  /** In units of 2^-24. */
  readonly sum: BigInt64Array<ArrayBuffer>;
  /** 0 where nothing was above 0. */
  readonly max: Float32Array<ArrayBuffer>;
  /** +Infinity where nothing was counted. */
  readonly min: Float32Array<ArrayBuffer>;
  /** [groups, width] tokens of each group on which the unit fired; empty without groups. */
  readonly groups: Uint32Array<ArrayBuffer>;
}

/** The accumulators of one layer of SAE latents or neurons. */
export class Accumulators implements Disposable {
  readonly #gpu: Gpu;
  readonly #memory: Allocated<GPUBuffer>;
  readonly #groups: Allocated<GPUBuffer> | undefined;

  /**
   * @param width units of the layer
   * @param groups groups of documents that are counted apart, {@linkcode groupBytes} more memory
   */
  constructor(gpu: Gpu, readonly width: number, groups = 0) {
    this.#gpu = gpu;
    this.#memory = gpu.buffer("accumulators", width * WORDS * 4);
    if (groups > 0) this.#groups = gpu.buffer("document groups", groupBytes(groups, width));
  }

  /**
   * Records the counting of TopK entries.
   *
   * @param seen scratch of {@linkcode seenBytes} bytes, all zero
   * @param countZeros count slots whose value is 0 as well, as published (spec Q3)
   */
  recordTopK(
    recorder: Recorder,
    entries: TopKEntries,
    tokens: number,
    k: number,
    parts: TokenParts,
    seen: GPUBuffer,
    countZeros: boolean,
  ): void {
    const kernel = this.#gpu.kernel("count_topk", accumulateSource + topkSource, {
      K: k,
      LANES: ITEM_LANES,
      COUNT_ZEROS: countZeros ? 1 : 0,
      GROUPED: this.#groups ? 1 : 0,
    });
    const bindings = [
      entries.values,
      entries.indices,
      parts.example,
      this.#memory.resource,
      seen,
      ...this.#groupBindings(parts, 0),
    ];
    const params = [tokens * k, Math.ceil(this.width / 32), this.width];
    recorder.dispatchItems(kernel, bindings, params, Math.ceil(tokens * k / ITEM_LANES));
  }

  /**
   * Records the counting of latents of which any number may be active: those > 0 count, and `min`
   * is the smallest of them. Calls for one latent come in the order of a batch's tokens.
   *
   * @param f [tokens, latents] not negative: latents `first` to `first + f.width`
   * @param firstToken the batch's token that row 0 is, a multiple of 64
   * @param last scratch of {@linkcode lastBytes} bytes, all zero before a batch
   */
  recordDense(
    recorder: Recorder,
    f: Rows,
    first: number,
    parts: TokenParts,
    firstToken: number,
    last: GPUBuffer,
  ): void {
    const kernel = this.#gpu.kernel("count_dense", accumulateSource + denseSource, {
      LANES: ITEM_LANES,
      GROUPED: this.#groups ? 1 : 0,
    });
    for (let from = 0; from < f.rows; from += MOST_TOKENS) {
      const block = rowsBetween(f, from, Math.min(f.rows, from + MOST_TOKENS));
      const token = firstToken + from;
      const bindings = [
        bindRows(block),
        fromToken(parts.example, token),
        this.#memory.resource,
        last,
        ...this.#groupBindings(parts, token),
      ];
      const params = [block.rows, block.stride, block.width, first, this.width];
      recorder.dispatchItems(kernel, bindings, params, Math.ceil(block.width / ITEM_LANES));
    }
  }

  /**
   * Records the counting of act_fn outputs.
   *
   * @param firstToken the batch's token that row 0 is, a multiple of 64
   */
  recordNeurons(
    recorder: Recorder,
    activations: Rows,
    parts: TokenParts,
    firstToken: number,
  ): void {
    const kernel = this.#gpu.kernel("count_neurons", accumulateSource + neuronsSource, {
      LANES: ITEM_LANES,
      GROUPED: this.#groups ? 1 : 0,
    });
    const bindings = [
      bindRows(activations),
      fromToken(parts.example, firstToken),
      this.#memory.resource,
      ...this.#groupBindings(parts, firstToken),
    ];
    const params = [activations.rows, activations.stride, this.width];
    recorder.dispatchItems(kernel, bindings, params, Math.ceil(this.width / ITEM_LANES));
  }

  /** What kernels bind for groups, where groups are counted. */
  #groupBindings({ group }: TokenParts, firstToken: number): Binding[] {
    if (!this.#groups) return [];
    if (!group) throw new RangeError("groups are counted, but the tokens do not say theirs");
    return [fromToken(group, firstToken), this.#groups.resource];
  }

  /**
   * Reads the counts back and starts again from zero.
   *
   * @param groups how many groups, from the first, to read
   */
  async take(groups = 0): Promise<UnitCounts> {
    const counted = this.#groups?.resource;
    const words = await this.#read(this.#memory.resource, this.width * WORDS);
    const byGroup = counted && groups > 0
      ? await this.#read(counted, groups * this.width)
      : new Uint32Array();
    const recorder = this.#gpu.recorder();
    recorder.clear(this.#memory.resource);
    if (counted) recorder.clear(counted);
    recorder.submit();
    return { ...decode(words, this.width), groups: byGroup };
  }

  async #read(buffer: GPUBuffer, words: number): Promise<Uint32Array<ArrayBuffer>> {
    return new Uint32Array(await this.#gpu.read(buffer, 0, words * 4));
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
    this.#groups?.[Symbol.dispose]();
  }
}

/** Bytes of the counts of a layer by group of documents. */
export function groupBytes(groups: number, width: number): number {
  return groups * width * 4;
}

/** The binding of a batch's per-token words from one token on. */
function fromToken(buffer: GPUBuffer, token: number): GPUBufferBinding {
  return { buffer, offset: token * 4 };
}

/** Bytes of the scratch memory that marks which latents fired in which text of a block. */
export function seenBytes(examples: number, width: number): number {
  return examples * Math.ceil(width / 32) * 4;
}

/** Bytes of the scratch memory that carries texts from one call of `recordDense` to the next. */
export function lastBytes(width: number): number {
  return width * 4;
}

function decode(words: Uint32Array, width: number): Omit<UnitCounts, "groups"> {
  const firedTokens = new Uint32Array(width);
  const firedExamples = new Uint32Array(width);
  const sum = new BigInt64Array(width);
  const sumHalves = new Uint32Array(sum.buffer);
  const max = new Float32Array(width);
  const maxBits = new Uint32Array(max.buffer);
  const min = new Float32Array(width);
  const minBits = new Uint32Array(min.buffer);
  for (let unit = 0; unit < width; unit++) {
    const at = unit * WORDS;
    firedTokens[unit] = words[at];
    firedExamples[unit] = words[at + 1];
    sumHalves[2 * unit] = words[at + 2];
    sumHalves[2 * unit + 1] = words[at + 3];
    maxBits[unit] = words[at + 4];
    if (words[at + 5] === 0) min[unit] = Infinity;
    else minBits[unit] = unordered(~words[at + 5] >>> 0);
  }
  return { firedTokens, firedExamples, sum, max, min };
}

/** Float bits from the bits that order as floats do (kernels/accumulate.wgsl). */
function unordered(key: number): number {
  return (key & 0x80000000) !== 0 ? (key & 0x7fffffff) >>> 0 : ~key >>> 0;
}
