/**
 * Counts of one (model, SAE or neurons, corpus, language): all that identification needs, whatever
 * the corpus size. A commutative monoid (see lib/lape/counts.ts for the algebra); this file fixes
 * its shape and its bytes.
 */

/** Exponent of the fixed point in which activations are summed: one unit is 2^-24. */
export const SUM_FRACTION_BITS = 24;

/**
 * Arrays are row-major `[layers.length, width]`; row `r` belongs to the absolute layer `layers[r]`.
 */
export interface Counts {
  /** Absolute layer number of each row, ascending. */
  readonly layers: readonly number[];
  /** Latents (or neurons) per layer. */
  readonly width: number;
  /** Number of examples (texts). */
  examples: number;
  /** Number of tokens, BOS included. */
  tokens: number;
  /** over_zero_token: tokens on which the latent fired. */
  firedTokens: Uint32Array<ArrayBuffer>;
  /** over_zero_example: examples in which the latent fired at least once. */
  firedExamples: Uint32Array<ArrayBuffer>;
  /**
   * over_zero_total in fixed point (units of 2^-SUM_FRACTION_BITS): integers add exactly, so sums do
   * not depend on order, batch size or how the corpus was split.
   */
  sum: BigInt64Array<ArrayBuffer>;
  /** max_active_over_zero: largest activation; 0 where there was none above 0. */
  max: Float32Array<ArrayBuffer>;
  /** min_active_over_zero: smallest counted activation; +Infinity where nothing was counted. */
  min: Float32Array<ArrayBuffer>;
}
