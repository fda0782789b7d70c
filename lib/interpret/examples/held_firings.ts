/** Activations of the latents that are asked for, read from a cache a file at a time. */
import type { CachedSplit, LatentCache } from "../latent_cache/open_cache.ts";
import type { LatentsByHookpoint } from "../latent_cache/cache_options.ts";
import type { Firings } from "./windows.ts";

/** Files whose latents are in memory at a time. */
const MOST_HELD = 4;

const NONE: Firings = { at: new Uint32Array(), values: new Float32Array() };

/** Reads a file when one of its latents is first asked for, and forgets the file unused the longest. */
export class HeldFirings {
  readonly #cache: LatentCache;
  readonly #needed: LatentsByHookpoint;
  /** By path, the one used last at the end. */
  readonly #held = new Map<string, Promise<ReadonlyMap<number, Firings>>>();

  /** @param needed latents that may be asked for */
  constructor(cache: LatentCache, needed: LatentsByHookpoint) {
    this.#cache = cache;
    this.#needed = needed;
  }

  /** A latent's activations. @throws InputError when its file is not as it should be */
  async of(hookpoint: string, latent: number): Promise<Firings> {
    const split = this.#cache.splits(hookpoint).find(({ end }) => latent < end);
    if (!split) return NONE;
    const known = this.#held.get(split.path) ?? this.#read(hookpoint, split);
    this.#held.delete(split.path);
    this.#held.set(split.path, known);
    const [oldest] = this.#held.keys();
    if (this.#held.size > MOST_HELD) this.#held.delete(oldest);
    return (await known).get(latent) ?? NONE;
  }

  async #read(hookpoint: string, split: CachedSplit): Promise<ReadonlyMap<number, Firings>> {
    const { contextLength } = this.#cache.tokens;
    const needed = this.#needed.get(hookpoint);
    const found = new Map<number, { at: number[]; values: number[] }>();
    for await (const { rows, positions, latents, activations } of this.#cache.entries(split)) {
      for (let i = 0; i < activations.length; i++) {
        const latent = latents[i];
        if (!needed?.has(latent)) continue;
        let firings = found.get(latent);
        if (!firings) found.set(latent, firings = { at: [], values: [] });
        firings.at.push(rows[i] * contextLength + positions[i]);
        firings.values.push(activations[i]);
      }
    }
    return new Map(
      [...found].map(([latent, { at, values }]) => [
        latent,
        { at: Uint32Array.from(at), values: Float32Array.from(values) },
      ]),
    );
  }
}
