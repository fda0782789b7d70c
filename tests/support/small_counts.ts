/** Counts small enough to write down in a test. */
import { type Counts, SUM_FRACTION_BITS } from "../../lib/formats/counts.ts";
import { emptyCounts } from "../../lib/lape/counts.ts";

/** What a test says of its counts; arrays are `[layers * width]`, what is left out is 0. */
export interface SmallCounts {
  readonly layers?: readonly number[];
  readonly examples: number;
  readonly tokens: number;
  readonly firedTokens: readonly number[];
  /** All examples wherever the latent fired at all, unless given. */
  readonly firedExamples?: readonly number[];
  /** Sum of activations, as a plain number. */
  readonly sum?: readonly number[];
  readonly max?: readonly number[];
  readonly min?: readonly number[];
}

/** Counts of layer 0 (or of the layers given) from plain arrays. */
export function smallCounts(
  { layers = [0], examples, tokens, firedTokens, firedExamples, sum, max, min }: SmallCounts,
): Counts {
  const counts = emptyCounts(layers, firedTokens.length / layers.length);
  counts.examples = examples;
  counts.tokens = tokens;
  counts.firedTokens.set(firedTokens);
  counts.firedExamples.set(firedExamples ?? firedTokens.map((fired) => fired > 0 ? examples : 0));
  if (sum) counts.sum.set(sum.map((value) => BigInt(value * 2 ** SUM_FRACTION_BITS)));
  if (max) counts.max.set(max);
  if (min) counts.min.set(min);
  return counts;
}
