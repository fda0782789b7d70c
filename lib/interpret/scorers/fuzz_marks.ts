/** Which tokens fuzzing marks in windows whose marks are wrong (spec train-and-interpret B.7). */
import { PythonRandom } from "../../stats/mersenne_twister.ts";
import { type Random, sample } from "../../stats/random.ts";
import type { Example } from "../example.ts";
import { type Marked, markedTokens, strong, strongOrEqual } from "../prompts/marked_text.ts";
import { shuffled } from "./orders.ts";

/** Seed of Python's generator, the same for every example. */
const PUBLISHED_SEED = 22;

/**
 * How many tokens each of `count` windows gets marked: as many as the windows in which the latent fires
 * have, in a random order and repeated where there are more, so that the number does not tell which.
 */
export function markCounts(random: Random, test: readonly Example[], count: number): number[] {
  const counts = shuffled(
    random,
    test.map((example) => markedTokens(example.tokens.length, strongOrEqual(example)).length),
  );
  return Array.from({ length: count }, (_, i) => counts[i % counts.length] ?? 1);
}

/**
 * Random tokens among those on which the latent fires weakly or not at all; undefined where there are
 * none.
 */
export function wrongMarks(random: Random, example: Example, count: number): Marked | undefined {
  const isStrong = strong(example);
  const weak = markedTokens(example.tokens.length, (token) => !isStrong(token));
  if (weak.length === 0) return undefined;
  const drawn = sample(random, weak.length, Math.min(count, weak.length)).map((at) => weak[at]);
  return (token) => drawn.includes(token);
}

/** As published: how many tokens are marked in every window in which the latent does not fire. */
export function publishedMarkCount(test: readonly Example[]): number {
  const fired = test.map(({ activations }) => activations.filter((value) => value !== 0).length);
  return Math.ceil(fired.reduce((sum, count) => sum + count, 0) / Math.max(1, test.length));
}

/**
 * As published: the token at three quarters of the window and others drawn from all, that one among
 * them, by a generator that is seeded anew for every window. So all windows of a latent have the same
 * marks, and sometimes one too few (quirk).
 */
export function publishedWrongMarks(length: number, count: number): Marked {
  const always = length - Math.floor(length / 4);
  const others = Math.max(0, Math.min(count, length) - 1);
  const drawn = new PythonRandom(PUBLISHED_SEED).sampleBelow(length, others);
  return (token) => token === always || drawn.includes(token);
}
