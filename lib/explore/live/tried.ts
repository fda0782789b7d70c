/** What a text's activations say, as the explorer shows it. */
import { activeFeatures } from "../../classify/active_features.ts";
import type { FeatureClassifier } from "../../classify/feature_classifier.ts";
import { featureScores } from "../../classify/scores.ts";
import type { Tried } from "../backend.ts";
import type { SparseActivations } from "../../interpret/activations.ts";

/**
 * The features that fire on a text, those of most activation first, and the languages by their share of
 * the classifier's min-max scores.
 *
 * @param tokens texts of the tokens
 * @param skipped tokens in front that are not the visitor's: BOS
 * @param activations of the features at the classifier's targets
 */
export function triedOf(
  tokens: readonly string[],
  skipped: number,
  classifier: FeatureClassifier,
  activations: readonly SparseActivations[],
): Tried {
  const { languages, targets, layers } = classifier;
  const fired = new Map<string, Tried["fired"][number] & { readonly languages: string[] }>();
  for (const { target, index, language, firings } of activeFeatures(classifier, activations)) {
    const { layer } = targets[target].hookpoint;
    const key = `${layer} ${index}`;
    const known = fired.get(key);
    known?.languages.push(languages[language]);
    const seen = firings.filter(({ token }) => token >= skipped);
    if (known || seen.length === 0) continue;
    const row = new Array<number>(tokens.length - skipped).fill(0);
    for (const { token, activation } of seen) row[token - skipped] = activation;
    fired.set(key, { layer, index, languages: [languages[language]], activations: row });
  }
  const scores = featureScores(languages.length, layers, activations).minMax
    .map((score) => Math.max(0, score));
  const total = sum(scores) || 1;
  return {
    tokens: tokens.slice(skipped),
    fired: [...fired.values()].sort((a, b) => sum(b.activations) - sum(a.activations)),
    languages: languages.map((language, g) => ({ language, score: scores[g] / total }))
      .sort((a, b) => b.score - a.score),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
