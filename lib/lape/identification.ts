/** What an identification rule finds, whichever rule it was. */
import { activationProbabilities, type Arithmetic, entropy } from "./entropy.ts";
import { monolinguality } from "./monolinguality.ts";
import { activationRange, type PooledCounts } from "./pool.ts";

/** A latent (or neuron) that passed the activity rules and may belong to languages. */
export interface Candidate {
  /** Absolute layer number. */
  readonly layer: number;
  /** Latent (or neuron) index within the layer. */
  readonly index: number;
  /** Entropy over languages in nats. */
  readonly entropy: number;
  /** Place in ascending order of entropy among all candidates, from 1; ties by (layer, index). */
  readonly rank: number;
  /** Activation probability per language, in the order of `languages`. */
  readonly probabilities: Float64Array<ArrayBuffer>;
  /** Positions in `languages` of those it belongs to, ascending. */
  readonly owners: readonly number[];
}

/** A candidate seen from one of its languages. */
export interface Feature extends Candidate {
  /** Activation probability in this language. */
  readonly probability: number;
  /** Tokens of this language on which it fired. */
  readonly firedTokens: number;
  /** Examples of this language in which it fired. */
  readonly firedExamples: number;
  /** Largest, smallest and mean activation in this language. */
  readonly max: number;
  readonly min: number;
  readonly avg: number;
  /** The same over all languages (quirk 28): what steering and min-max scaling use. */
  readonly globalMax: number;
  readonly globalMin: number;
  readonly globalAvg: number;
  /** nu: mean activation per token in this language less that in the others; NaN if it has none. */
  readonly monolinguality: number;
}

/** The result of an identification: a pure function of pooled counts and options. */
export interface Identification {
  /** Qualified names, alphabetical. */
  readonly languages: readonly string[];
  /** In rank order. */
  readonly candidates: readonly Candidate[];
  /** Entry `s - 1` is the number of candidates that belong to exactly `s` languages. */
  readonly shareHistogram: readonly number[];
  /** Per language (empty lists kept), sorted by (layer, index). */
  readonly features: readonly (readonly Feature[])[];
}

/**
 * Ranks latents by ascending entropy, ties by (layer, index).
 *
 * @param positions positions in the arrays (row * width + index), ascending
 * @param limit how many to keep
 * @param ownersOf languages a latent belongs to, from its probabilities
 */
export function rankCandidates(
  pooled: PooledCounts,
  positions: readonly number[],
  { limit = Infinity, arithmetic, ownersOf }: {
    limit?: number;
    arithmetic: Arithmetic;
    ownersOf: (probabilities: Float64Array) => number[];
  },
): Candidate[] {
  const { layers, width } = pooled;
  return positions
    .map((at) => {
      const probabilities = activationProbabilities(pooled, at, arithmetic);
      return { at, probabilities, entropy: entropy(probabilities, arithmetic) };
    })
    .sort((a, b) => a.entropy - b.entropy || a.at - b.at)
    .slice(0, limit)
    .map(({ at, entropy, probabilities }, place) => ({
      layer: layers[Math.floor(at / width)],
      index: at % width,
      entropy,
      rank: place + 1,
      probabilities,
      owners: ownersOf(probabilities),
    }));
}

/** Entry `s - 1`: number of candidates that belong to exactly `s` of the languages. */
export function shareHistogram(candidates: readonly Candidate[], languages: number): number[] {
  const histogram = new Array<number>(languages).fill(0);
  for (const { owners } of candidates) if (owners.length > 0) histogram[owners.length - 1]++;
  return histogram;
}

/** Features of one language from its candidates, sorted by (layer, index). */
export function featuresOf(
  pooled: PooledCounts,
  language: number,
  candidates: readonly Candidate[],
): Feature[] {
  return candidates
    .map((candidate) => featureOf(pooled, language, candidate))
    .sort((a, b) => a.layer - b.layer || a.index - b.index);
}

/** Position of a latent (or neuron) in the arrays of counts: row * width + index. */
export function positionOf(
  { layers, width }: PooledCounts,
  { layer, index }: Pick<Candidate, "layer" | "index">,
): number {
  return layers.indexOf(layer) * width + index;
}

function featureOf(pooled: PooledCounts, language: number, candidate: Candidate): Feature {
  const counts = pooled.byLanguage[language];
  const at = positionOf(pooled, candidate);
  const everywhere = activationRange(pooled.byLanguage, at);
  return {
    ...candidate,
    probability: candidate.probabilities[language],
    firedTokens: counts.firedTokens[at],
    firedExamples: counts.firedExamples[at],
    ...activationRange([counts], at),
    globalMax: everywhere.max,
    globalMin: everywhere.min,
    globalAvg: everywhere.avg,
    monolinguality: monolinguality(pooled, at, language),
  };
}
