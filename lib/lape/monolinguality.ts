/** Monolinguality (Deng et al., arXiv 2505.05111): by how much more a unit fires in one language. */
import { SUM_FRACTION_BITS } from "../formats/counts.ts";
import type { PooledCounts } from "./pool.ts";

/**
 * nu: the mean activation per token in a language less the mean of the other languages' means, each of
 * which weighs the same whatever the length of its texts. Tokens on which a unit does not fire count
 * as 0. Sums are exact (fixed point), so nu is as exact as f64 divides.
 *
 * @param at position in the arrays: row * width + index
 * @returns NaN where the language, or all others, have no texts
 */
export function monolinguality(pooled: PooledCounts, at: number, language: number): number {
  const means = pooled.byLanguage.map(({ sum, tokens }) => meanOf(sum[at], tokens));
  const others = means.filter((mean, g) => g !== language && !Number.isNaN(mean));
  return means[language] - others.reduce((sum, mean) => sum + mean, 0) / others.length;
}

/** Mean over tokens of a sum in fixed point; NaN of none. */
export function meanOf(sum: bigint, tokens: number): number {
  return Number(sum) / 2 ** SUM_FRACTION_BITS / tokens;
}
