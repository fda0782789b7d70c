/** In which order examples are asked about, and which are drawn: random, and the same in every run. */
import type { LatentName } from "../example.ts";
import { PythonRandom } from "../../stats/mersenne_twister.ts";
import { type Random, sample, seededRandom } from "../../stats/random.ts";

/** Puts the examples of one latent after the other into the order in which they are asked about. */
export type Shuffle = <T>(latent: LatentName, items: readonly T[]) => T[];

/**
 * As published: one `Random(42)` of the scorer shuffles all latents, so that an order depends on every
 * latent before it (spec train-and-interpret B.7).
 */
export function publishedShuffle(): Shuffle {
  const random = new PythonRandom(42);
  return (_, items) => {
    const shuffled = [...items];
    random.shuffle(shuffled);
    return shuffled;
  };
}

/** An order that depends on the latent and the seed alone. */
export function latentShuffle(seed: number): Shuffle {
  return (latent, items) => shuffled(latentRandom(seed, latent), items);
}

/** Random numbers of a latent. */
export function latentRandom(seed: number, { hookpoint, index }: LatentName): Random {
  const name = Array.from(hookpoint, (character) => character.codePointAt(0)!);
  return seededRandom(seed, index, ...name);
}

/** The items in a random order. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return sample(random, items.length, items.length).map((at) => items[at]);
}

/** Consecutive groups of `size` items; the last may be shorter. */
export function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / size) },
    (_, i) => items.slice(i * size, (i + 1) * size),
  );
}
