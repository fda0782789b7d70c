/**
 * LAPE (arXiv 2402.16438; spec 6.3): which MLP neurons belong to which languages. The same
 * probabilities and entropy as SAE-LAPE, but other rules: a quantile instead of example and token
 * rates, a fixed budget of neurons, and an absolute bar instead of a ratio.
 */
import { InputError } from "../formats/input_error.ts";
import { type Arithmetic, float32, float64, probability } from "./entropy.ts";
import {
  featuresOf,
  type Identification,
  rankCandidates,
  shareHistogram,
} from "./identification.ts";
import type { PooledCounts } from "./pool.ts";
import { roundHalfToEven } from "./rounding.ts";

/** Constants of the original, which has no options for them. */
export interface LapeOptions {
  /** Share of all neurons to take, lowest entropy first. */
  readonly topRate: number;
  /** Quantile of all probabilities that a neuron must pass in some language to be taken. */
  readonly filterRate: number;
  /** Quantile of all probabilities above which a language owns a neuron. */
  readonly activationBarRatio: number;
  /** "paper": the original's float32 arithmetic. */
  readonly compat?: "paper";
}

/** The published rates. */
export const LAPE_RATES = { topRate: 0.01, filterRate: 0.95, activationBarRatio: 0.95 } as const;

/** Neurons per language, and the probability above which a language owns one. */
export interface NeuronIdentification extends Identification {
  readonly activationBar: number;
}

/**
 * Finds the language-specific neurons. A neuron may belong to several languages; a language may own
 * none (the original crashes there). `candidates` are the neurons within the budget.
 *
 * @throws {InputError} a rate outside (0, 1]
 */
export function identifyLape(
  pooled: PooledCounts,
  given: Partial<LapeOptions> = {},
): NeuronIdentification {
  const { topRate, filterRate, activationBarRatio, compat } = { ...LAPE_RATES, ...given };
  checkRates({ topRate, filterRate, activationBarRatio });
  const { languages } = pooled;
  const size = pooled.layers.length * pooled.width;
  const arithmetic = compat === "paper" ? float32 : float64;
  const sorted = allProbabilities(pooled, arithmetic).sort();
  const filter = quantile(sorted, filterRate);
  const bar = quantile(sorted, activationBarRatio);
  const aboveBar = (values: Float64Array) =>
    [...values.keys()].filter((language) => values[language] > bar);

  const candidates = rankCandidates(pooled, positionsAbove(pooled, filter, arithmetic), {
    limit: roundHalfToEven(size * topRate),
    arithmetic,
    ownersOf: aboveBar,
  });
  return {
    languages,
    activationBar: bar,
    candidates,
    shareHistogram: shareHistogram(candidates, languages.length),
    features: languages.map((_, language) =>
      featuresOf(pooled, language, candidates.filter(({ owners }) => owners.includes(language)))
    ),
  };
}

function checkRates(rates: Readonly<Record<string, number>>): void {
  for (const [name, rate] of Object.entries(rates)) {
    if (!(rate > 0 && rate <= 1)) {
      throw new InputError(`The LAPE rate ${name} is ${rate}, expected a share above 0, up to 1.`);
    }
  }
}

/** Every activation probability, `[languages * layers * width]`. */
function allProbabilities(pooled: PooledCounts, arithmetic: Arithmetic): Float64Array<ArrayBuffer> {
  const size = pooled.layers.length * pooled.width;
  const values = new Float64Array(pooled.languages.length * size);
  pooled.byLanguage.forEach(({ firedTokens, tokens }, language) => {
    for (let at = 0; at < size; at++) {
      values[language * size + at] = probability(firedTokens[at], tokens, arithmetic);
    }
  });
  return values;
}

/** The k-th smallest of sorted values, k = n * rate rounded and counted from 1. */
function quantile(sorted: Float64Array, rate: number): number {
  return sorted[Math.max(roundHalfToEven(sorted.length * rate), 1) - 1];
}

/** Positions of the neurons whose probability passes the bar in some language, ascending. */
function positionsAbove(pooled: PooledCounts, bar: number, arithmetic: Arithmetic): number[] {
  const size = pooled.layers.length * pooled.width;
  const passes = new Uint8Array(size);
  for (const { firedTokens, tokens } of pooled.byLanguage) {
    for (let at = 0; at < size; at++) {
      if (probability(firedTokens[at], tokens, arithmetic) > bar) passes[at] = 1;
    }
  }
  const positions: number[] = [];
  for (let at = 0; at < size; at++) if (passes[at]) positions.push(at);
  return positions;
}
