/**
 * Weights larger than the memory budget: some stay on the GPU, the others are streamed through it.
 *
 * Every pass over a model uses its weights in the same order, so whatever is used next was evicted
 * longest ago: least-recently-used caching would miss every time. What fits stays, first come first
 * kept; the rest is uploaded for each use and released after it.
 */
import type { Gpu } from "./device.ts";

/** Weights on loan. Give them back when everything that uses them is recorded and submitted. */
export interface Lease<T> {
  readonly weights: T;
  /** True where the weights stay on the GPU: giving them back does nothing. */
  readonly stays: boolean;
  /** Waits for the GPU and releases the memory, unless the weights stay. */
  release(): Promise<void>;
}

export class WeightStore implements Disposable {
  readonly #gpu: Gpu;
  readonly #resident = new Map<string, Disposable>();
  readonly #reserved = new Map<string, number>();

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /**
   * Keeps this much of the budget free of resident weights: room for the largest streamed piece of
   * each holder, since an SAE's shard is on loan while its layer is. Call it for every piece before
   * the first use.
   *
   * @param holder who has one piece on loan at a time
   */
  reserve(holder: string, bytes: number): void {
    this.#reserved.set(holder, Math.max(this.#reserved.get(holder) ?? 0, bytes));
  }

  /**
   * Lends weights, uploading them if they are not there.
   *
   * @param name unique in this store
   * @param bytes what they will take
   * @throws GpuError when they do not fit the memory budget at all
   */
  async use<T extends Disposable>(
    name: string,
    bytes: number,
    upload: () => Promise<T>,
  ): Promise<Lease<T>> {
    const resident = this.#resident.get(name) as T | undefined;
    if (resident) return kept(resident);
    const { memory } = this.#gpu;
    const reserved = [...this.#reserved.values()].reduce((sum, piece) => sum + piece, 0);
    const stays = memory.live + bytes + reserved <= memory.budget;
    const weights = await upload();
    if (stays) {
      this.#resident.set(name, weights);
      return kept(weights);
    }
    return {
      weights,
      stays: false,
      release: async () => {
        await this.#gpu.settle();
        weights[Symbol.dispose]();
      },
    };
  }

  [Symbol.dispose](): void {
    for (const weights of this.#resident.values()) weights[Symbol.dispose]();
    this.#resident.clear();
  }
}

function kept<T>(weights: T): Lease<T> {
  return { weights, stays: true, release: () => Promise.resolve() };
}
