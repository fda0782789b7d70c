/** How far entropies and probabilities would be off on other documents of the same kind. */
import {
  type BootstrapOptions,
  type Interval,
  percentiles,
  resampled,
} from "../stats/bootstrap.ts";
import { seededRandom } from "../stats/random.ts";
import { type DocumentGroup, firedIn } from "./document_groups.ts";
import { entropy, probability } from "./entropy.ts";

/** How sure a unit's numbers are; NaN where that cannot be told. */
export interface EntropyInterval {
  readonly entropy: Interval;
  /**
   * Mean of the resampled entropies less the entropy itself: what resampling adds to it, and so about
   * what sampling the texts took from it or added to it.
   */
  readonly bias: number;
  /** Of the activation probabilities in the languages asked for. */
  readonly probabilities: readonly Interval[];
}

/**
 * Document-clustered percentile intervals: every resample draws, in each language, as many of its
 * groups of documents as there are, with replacement. A language with texts but a single group tells
 * nothing of the spread among its documents: its interval is NaN, and that of the entropies with it.
 *
 * There is no Miller-Madow correction, `(m - 1) / 2N`: its N counts independent draws, and the tokens
 * on which a unit fires are not (they come in documents, and each language has its own number of
 * them). `bias` is the estimate that this sampling allows.
 *
 * The intervals do not know that a unit was selected for its low entropy: on new texts the entropy of
 * selected units is rather higher. Replication on a second corpus shows by how much.
 *
 * @param groups of all languages
 * @param languages how many there are
 * @returns the intervals of a unit (row * width + index): of its entropy over all languages, and of its
 *   activation probabilities in some of them
 */
export function entropyBootstrap(
  groups: readonly DocumentGroup[],
  languages: number,
  { replicates = 1000, seed = 0, level = 0.95 }: BootstrapOptions = {},
): (unit: number, asked: readonly number[]) => EntropyInterval {
  const samples = Array.from(
    { length: languages },
    (_, g) => resamples(groups.filter(({ language }) => language === g), replicates, seed, g),
  );
  const blind = samples.some(({ groups }) => groups.length === 1);
  return (unit, asked) => {
    const sampled = samples.map((sample) => sampledProbabilities(sample, unit));
    const entropies = Float64Array.from(
      { length: replicates },
      (_, r) => definedEntropy(sampled.map((probabilities) => probabilities[r])),
    );
    const seen = entropy(samples.map(({ groups }) => probabilityIn(groups, unit)));
    return {
      entropy: blind ? UNKNOWN : percentiles(entropies, level),
      bias: blind ? NaN : mean(entropies.filter((value) => !Number.isNaN(value))) - seen,
      probabilities: asked.map((g) =>
        samples[g].groups.length === 1 ? UNKNOWN : percentiles(sampled[g], level)
      ),
    };
  };
}

const UNKNOWN: Interval = { low: NaN, high: NaN };

/** The resamples of one language. */
interface Resamples {
  readonly groups: readonly DocumentGroup[];
  /** `[groups, resamples]`: how often each group is in each resample. */
  readonly weights: Float64Array;
  /** `[resamples]`. */
  readonly tokens: Float64Array;
}

function resamples(
  groups: readonly DocumentGroup[],
  replicates: number,
  seed: number,
  language: number,
): Resamples {
  const random = seededRandom(seed, language);
  const weights = new Float64Array(groups.length * replicates);
  for (let r = 0; r < replicates; r++) {
    resampled(random, groups.length).forEach((times, i) => weights[i * replicates + r] = times);
  }
  const sizes = Float64Array.from(groups, ({ tokens }) => tokens);
  return { groups, weights, tokens: totals(weights, sizes, replicates) };
}

/** Activation probability of a unit in each resample. */
function sampledProbabilities({ groups, weights, tokens }: Resamples, unit: number): Float64Array {
  const fired = Float64Array.from(groups, (group) => firedIn(group, unit));
  return totals(weights, fired, tokens.length)
    .map((total, r) => probability(total, tokens[r]));
}

/** `[resamples]`: sum of the values of the groups that are in each. */
function totals(
  weights: Float64Array,
  values: Float64Array,
  replicates: number,
): Float64Array<ArrayBuffer> {
  const sums = new Float64Array(replicates);
  values.forEach((value, i) => {
    if (value === 0) return;
    for (let r = 0; r < replicates; r++) sums[r] += weights[i * replicates + r] * value;
  });
  return sums;
}

function probabilityIn(groups: readonly DocumentGroup[], unit: number): number {
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  return probability(
    total(groups.map((group) => firedIn(group, unit))),
    total(groups.map(({ tokens }) => tokens)),
  );
}

/** A unit that fires in none of the documents drawn has no entropy. */
function definedEntropy(probabilities: readonly number[]): number {
  return probabilities.some((p) => p > 0) ? entropy(probabilities) : NaN;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
