/** Scores of texts by what they make a model do: features of latents and neurons, DiffMean. */
import { readActivations, type Reader } from "../interpret/activations.ts";
import { comesBefore, type Hookpoint } from "../nn/hookpoints.ts";
import type { ModelClassifierName } from "./classifiers.ts";
import { type DiffMeanDirections, diffMeanScores } from "./diffmean.ts";
import { type FeatureClassifier, wantedUnits } from "./feature_classifier.ts";
import { featureScores } from "./scores.ts";
import { textMeans } from "./text_means.ts";

/** What texts are scored by. */
export interface ModelClassifiers {
  readonly latents?: FeatureClassifier;
  readonly neurons?: FeatureClassifier;
  readonly diffmean?: {
    /** In the order of the directions. */
    readonly languages: readonly string[];
    readonly hookpoints: readonly Hookpoint[];
    readonly directions: DiffMeanDirections;
  };
}

/** [texts][languages], by classifier. */
export type ModelScores = Partial<Record<ModelClassifierName, number[][]>>;

/** How texts are scored. */
export interface ScoringOptions {
  /** Counts TopK slots whose value is 0, as published (quirk 3). */
  readonly zeros: boolean;
  /** Told of every text that was run. */
  progressed(tokens: number): void;
}

/**
 * Scores texts: one pass for all features, and one, without SAEs, for DiffMean.
 *
 * @param texts tokenised
 */
export async function modelScores(
  model: Reader,
  classifiers: ModelClassifiers,
  texts: readonly { readonly ids: Uint32Array }[],
  options: ScoringOptions,
): Promise<ModelScores> {
  return {
    ...await scoresOfFeatures(model, classifiers, texts, options),
    ...await scoresOfMeans(model, classifiers, texts, options),
  };
}

async function scoresOfFeatures(
  model: Reader,
  { latents, neurons }: ModelClassifiers,
  texts: readonly { readonly ids: Uint32Array }[],
  { zeros, progressed }: ScoringOptions,
): Promise<ModelScores> {
  const scores: ModelScores = {
    ...latents && { "sae-count": [], "sae-min-max": [] },
    ...neurons && { "neuron-count": [] },
  };
  // latents and neurons alternate in the pass
  const read = [latents, neurons].flatMap((classifier) => {
    if (!classifier) return [];
    const wanted = wantedUnits(classifier);
    return classifier.targets.map((target, i) => ({
      classifier,
      target,
      wanted: wanted[i],
      layer: classifier.layers[i],
    }));
  }).sort((a, b) => comesBefore(a.target.hookpoint, b.target.hookpoint) ? -1 : 1);
  if (read.length === 0) return scores;

  const targets = read.map(({ target }) => target);
  const wanted = read.map(({ wanted }) => wanted);
  for await (const found of readActivations(model, targets, texts, { wanted, zeros })) {
    for (const classifier of [latents, neurons]) {
      if (!classifier) continue;
      const own = read.map((item, i) => ({ ...item, activations: found.targets[i] }))
        .filter((item) => item.classifier === classifier);
      const { count, minMax } = featureScores(
        classifier.languages.length,
        own.map(({ layer }) => layer),
        own.map(({ activations }) => activations),
      );
      if (classifier === neurons) scores["neuron-count"]?.push(count);
      else {
        scores["sae-count"]?.push(count);
        scores["sae-min-max"]?.push(minMax);
      }
    }
    progressed(texts[found.text].ids.length);
  }
  return scores;
}

async function scoresOfMeans(
  model: Reader,
  { diffmean }: ModelClassifiers,
  texts: readonly { readonly ids: Uint32Array }[],
  { progressed }: ScoringOptions,
): Promise<ModelScores> {
  if (!diffmean) return {};
  const scores: number[][] = [];
  for await (const means of textMeans(model, diffmean.hookpoints, texts)) {
    progressed(texts[scores.length].ids.length);
    scores.push(diffMeanScores(diffmean.directions, means));
  }
  return { diffmean: scores };
}
