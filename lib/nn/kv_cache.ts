/** Keys and values of the tokens that were read, so that each further token of a text costs one token. */
import type { Gpu } from "../gpu/device.ts";
import { allocateKeyValues, type KeyValues } from "../gpu/key_values.ts";
import { GpuError } from "../gpu/memory.ts";
import { strideOf } from "../gpu/rows.ts";
import type { LlamaConfig } from "./config.ts";

/** Most bytes of a cache, unless one sequence alone takes more: longer batches are hardly faster. */
const MOST_BYTES = 2 * 2 ** 30;

/** The cache of some sequences: sequence `s` has rows `s · capacity` to `(s + 1) · capacity`. */
export class KvCache implements Disposable {
  /** Of each layer, with a row per token: sequences · capacity of them. */
  readonly layers: readonly KeyValues[];
  readonly #owned: DisposableStack;

  /**
   * @param capacity most tokens of a sequence
   * @throws GpuError when it does not fit the adapter or the memory budget
   */
  constructor(
    gpu: Gpu,
    config: LlamaConfig,
    readonly sequences: number,
    readonly capacity: number,
  ) {
    if (sequences * capacity * rowBytes(config) > mostLayerBytes(gpu)) {
      throw new GpuError(
        `the keys and values of ${capacity} tokens are more than this adapter binds at a time: write ` +
          `shorter texts, or fewer at a time`,
      );
    }
    using undo = new DisposableStack();
    this.layers = Array.from(
      { length: config.layers },
      (_, layer) =>
        undo.use(
          allocateKeyValues(gpu, `keys and values ${layer}`, sequences * capacity, config),
        ),
    );
    this.#owned = undo.move();
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/**
 * Most sequences that one cache is made for: a layer has to fit one binding, and all of it half of what
 * is left of the memory budget, for weights need room too. At least one.
 *
 * @param capacity most tokens of a sequence
 */
export function mostSequences(gpu: Gpu, config: LlamaConfig, capacity: number): number {
  const { budget, live } = gpu.memory;
  const room = Math.min(MOST_BYTES, (budget - live) / 2);
  const ofLayer = Math.min(mostLayerBytes(gpu), room / config.layers);
  return Math.max(1, Math.floor(ofLayer / (capacity * rowBytes(config))));
}

function mostLayerBytes({ limits }: Gpu): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
}

function rowBytes({ keyValueHeads, headDim }: LlamaConfig): number {
  return strideOf(2 * keyValueHeads * headDim) * 4;
}
