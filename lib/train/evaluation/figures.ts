/** How good an SAE is on the texts of a language: what is summed, and what it comes to. */

/** What stands in the place of a module's output. */
export const REPLACEMENTS = ["sae", "zero", "mean"] as const;
export type Replacement = typeof REPLACEMENTS[number];

/** Sums over the texts of a language; all but `languages` add up. */
export interface Sums {
  /** Tokens whose activations were reconstructed. */
  readonly tokens: number;
  /** Σ |x - x̂|² */
  readonly error: number;
  /** Σ |x - c|², c being the mean activation of all languages. */
  readonly variation: number;
  /** What of it vanishes around the language's own mean: tokens · |mean - c|². */
  readonly offset: number;
  /** Active latents of all tokens. */
  readonly active: number;
  /** Tokens that were predicted: all but the first of each text. */
  readonly predicted: number;
  /** -Σ ln p of the model as it is; null where nothing was spliced in. */
  readonly loss: number | null;
  /** -Σ ln q with each replacement. */
  readonly losses: Readonly<Record<Replacement, number>> | null;
  /** Σ KL(p | q) with each replacement. */
  readonly divergences: Readonly<Record<Replacement, number>> | null;
}

/** Figures of an SAE on some texts. A figure that cannot be had is null. */
export interface Figures {
  readonly tokens: number;
  /** Fraction of variance unexplained: Σ |x - x̂|² / Σ |x - mean(x)|². */
  readonly fvu: number | null;
  /** Mean number of active latents per token. */
  readonly l0: number | null;
  /** Share of latents that are active on no token. */
  readonly dead_share: number;
  readonly predicted_tokens: number;
  /** Mean -ln p of the next token, in nats: of the model as it is, and with a replacement. */
  readonly ce_original: number | null;
  readonly ce_sae: number | null;
  readonly ce_zero: number | null;
  readonly ce_mean: number | null;
  /** (CE_ablated - CE_sae) / (CE_ablated - CE_original) */
  readonly ce_recovered_zero: number | null;
  readonly ce_recovered_mean: number | null;
  /** Mean KL(original | replaced), in nats. */
  readonly kl_sae: number | null;
  readonly kl_zero: number | null;
  readonly kl_mean: number | null;
  /** (KL_ablated - KL_sae) / KL_ablated */
  readonly kl_recovered_zero: number | null;
  readonly kl_recovered_mean: number | null;
}

/**
 * Figures of the texts of one language, around whose own mean they vary, or of all languages.
 *
 * @param silent latents that were active on no token
 */
export function figuresOf(sums: Sums, latents: number, silent: number, all: boolean): Figures {
  const { tokens, predicted, loss, losses, divergences } = sums;
  const ce = (sum: number | null | undefined) => ratio(sum ?? null, predicted);
  const [sae, zero, mean] = REPLACEMENTS.map((name) => ce(losses?.[name]));
  const [klSae, klZero, klMean] = REPLACEMENTS.map((name) => ce(divergences?.[name]));
  const original = ce(loss);
  return {
    tokens,
    fvu: ratio(sums.error, sums.variation - (all ? 0 : sums.offset)),
    l0: ratio(sums.active, tokens),
    dead_share: silent / latents,
    predicted_tokens: predicted,
    ce_original: original,
    ce_sae: sae,
    ce_zero: zero,
    ce_mean: mean,
    ce_recovered_zero: recovered(zero, sae, original),
    ce_recovered_mean: recovered(mean, sae, original),
    kl_sae: klSae,
    kl_zero: klZero,
    kl_mean: klMean,
    kl_recovered_zero: recovered(klZero, klSae, 0),
    kl_recovered_mean: recovered(klMean, klSae, 0),
  };
}

/** The share of what an ablation loses that an SAE does not lose. */
function recovered(ablated: number | null, sae: number | null, original: number | null) {
  if (ablated === null || sae === null || original === null) return null;
  return ratio(ablated - sae, ablated - original);
}

function ratio(a: number | null, b: number): number | null {
  return a === null || b === 0 ? null : a / b;
}

/** Sums of several languages together. */
export function total(all: readonly Sums[]): Sums {
  const sum = (of: (sums: Sums) => number) => all.reduce((sum, sums) => sum + of(sums), 0);
  const spliced = all.length > 0 && all.every(({ loss }) => loss !== null);
  const each = (key: "losses" | "divergences") => ({
    sae: sum((sums) => sums[key]?.sae ?? 0),
    zero: sum((sums) => sums[key]?.zero ?? 0),
    mean: sum((sums) => sums[key]?.mean ?? 0),
  });
  return {
    tokens: sum(({ tokens }) => tokens),
    error: sum(({ error }) => error),
    variation: sum(({ variation }) => variation),
    offset: sum(({ offset }) => offset),
    active: sum(({ active }) => active),
    predicted: sum(({ predicted }) => predicted),
    loss: spliced ? sum(({ loss }) => loss ?? 0) : null,
    losses: spliced ? each("losses") : null,
    divergences: spliced ? each("divergences") : null,
  };
}
