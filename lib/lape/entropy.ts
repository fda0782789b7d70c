/**
 * Activation probabilities and their entropy over languages (spec 6.2, step 1):
 * `p_g = C_g / T_g`, `q = p / sum p`, `H = -sum q ln q`. Published numbers come from here, in f64.
 */
import type { PooledCounts } from "./pool.ts";

/** Rounds every intermediate result; the choice between f64 and the original's float32. */
export type Arithmetic = (x: number) => number;

/** Results as they are: f64. */
export const float64: Arithmetic = (x) => x;

/**
 * The original's float32. Only its published rounding: torch's order of summation and its `log` may
 * still differ in the last bit.
 */
export const float32: Arithmetic = Math.fround;

/**
 * Share of each language's tokens on which the latent fired.
 *
 * @param at position in the arrays: row * width + index
 * @returns `[languages]`, 0 for a language without tokens
 */
export function activationProbabilities(
  pooled: PooledCounts,
  at: number,
  arithmetic: Arithmetic = float64,
): Float64Array<ArrayBuffer> {
  return Float64Array.from(
    pooled.byLanguage,
    ({ firedTokens, tokens }) => probability(firedTokens[at], tokens, arithmetic),
  );
}

/** `fired / tokens`; a language without tokens has never fired. */
export function probability(
  fired: number,
  tokens: number,
  arithmetic: Arithmetic = float64,
): number {
  return tokens === 0 ? 0 : arithmetic(arithmetic(fired) / arithmetic(tokens));
}

/**
 * Entropy in nats of probabilities that are first scaled to sum 1: 0 where one language has all,
 * `ln languages` where all have the same. `0 ln 0 = 0`; a latent that never fires has entropy 0.
 */
export function entropy(
  probabilities: ArrayLike<number>,
  arithmetic: Arithmetic = float64,
): number {
  let total = 0;
  for (let g = 0; g < probabilities.length; g++) total = arithmetic(total + probabilities[g]);
  let sum = 0;
  for (let g = 0; g < probabilities.length; g++) {
    const q = arithmetic(probabilities[g] / total);
    // Not where q is 0 (its own or by underflow), nor NaN (0 / 0).
    if (q > 0) sum = arithmetic(sum - arithmetic(q * arithmetic(Math.log(q))));
  }
  return sum;
}

/** Entropy of every latent in nats, `[layers * width]`: the reference of the entropy kernel. */
export function activationEntropies(pooled: PooledCounts): Float64Array<ArrayBuffer> {
  const entropies = new Float64Array(pooled.layers.length * pooled.width);
  return entropies.map((_, at) => entropy(activationProbabilities(pooled, at)));
}
