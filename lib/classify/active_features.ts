/** Which features of which languages fire in a text, and on which tokens (spec section 10). */
import type { SparseActivations } from "../interpret/activations.ts";
import type { FeatureClassifier } from "./feature_classifier.ts";

/** A feature's activation on a token. */
export interface TokenActivation {
  /** Position in the text; 0 is BOS. */
  readonly token: number;
  readonly activation: number;
}

/** A feature of a language that fires in a text. */
export interface ActiveFeature {
  /** Position among the classifier's targets. */
  readonly target: number;
  /** Latent or neuron. */
  readonly index: number;
  /** Position among the classifier's languages. */
  readonly language: number;
  /** Ascending by token; at least one. */
  readonly firings: readonly TokenActivation[];
}

/**
 * The features that fire in a text: by target, then language, then index. One that several languages
 * share is there for each.
 *
 * @param activations at the classifier's targets
 */
export function activeFeatures(
  { layers }: FeatureClassifier,
  activations: readonly SparseActivations[],
): ActiveFeature[] {
  return activations.flatMap((found, target) => {
    const active = [...firingsByUnit(found)].flatMap(([index, firings]) =>
      (layers[target].get(index) ?? []).map(({ language }) => ({
        target,
        index,
        language,
        firings,
      }))
    );
    return active.sort((a, b) => a.language - b.language || a.index - b.index);
  });
}

function firingsByUnit({ offsets, units, values }: SparseActivations) {
  const byUnit = new Map<number, TokenActivation[]>();
  for (let token = 0; token + 1 < offsets.length; token++) {
    for (let slot = offsets[token]; slot < offsets[token + 1]; slot++) {
      const firings = byUnit.get(units[slot]) ?? [];
      byUnit.set(units[slot], firings);
      firings.push({ token, activation: values[slot] });
    }
  }
  return byUnit;
}

/**
 * The same as published (quirk 21): every feature of one target and language has the tokens of all of
 * them. Their activations are those of the feature, 0 where it does not fire.
 */
export function withSharedTokens(active: readonly ActiveFeature[]): ActiveFeature[] {
  return active.map((feature) => {
    const { target, language, firings } = feature;
    const tokens = active.filter((other) => other.target === target && other.language === language)
      .flatMap(({ firings }) => firings.map(({ token }) => token));
    return {
      ...feature,
      firings: [...new Set(tokens)].sort((a, b) => a - b).map((token) => ({
        token,
        activation: firings.find((firing) => firing.token === token)?.activation ?? 0,
      })),
    };
  });
}
