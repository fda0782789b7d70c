/** Scores of texts by what they make a model do: features of latents and neurons, DiffMean. */
import { readActivations, type Reader, type SparseActivations } from "../interpret/activations.ts";
import { comesBefore, type Hookpoint } from "../nn/hookpoints.ts";
import type { Target } from "../sae/target.ts";
import type { ModelClassifierName } from "./classifiers.ts";
import { type DiffMeanDirections, diffMeanScores } from "./diffmean.ts";
import { type FeatureClassifier, wantedUnits } from "./feature_classifier.ts";
import { type FeatureScores, featureScores, type LayerFeatures } from "./scores.ts";
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
  /** BOS, where it is left out of all scores. */
  readonly excluded?: number;
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
  { zeros, excluded, progressed }: ScoringOptions,
): Promise<ModelScores> {
  const readings = readingsOf([latents, neurons].filter((classifier) => classifier !== undefined));
  const saes: FeatureScores[] = [];
  const gates: FeatureScores[] = [];
  if (readings.length > 0) {
    const targets = readings.map(({ target }) => target);
    const wanted = readings.map(({ wanted }) => wanted);
    for await (const found of readActivations(model, targets, texts, { wanted, zeros })) {
      const counted = texts[found.text].ids[0] === excluded
        ? found.targets.map(afterFirstToken)
        : found.targets;
      if (latents) saes.push(scoresBy(latents, readings, counted));
      if (neurons) gates.push(scoresBy(neurons, readings, counted));
      progressed(texts[found.text].ids.length);
    }
  }
  return {
    ...latents && {
      "sae-count": saes.map(({ count }) => count),
      "sae-min-max": saes.map(({ minMax }) => minMax),
    },
    ...neurons && { "neuron-count": gates.map(({ count }) => count) },
  };
}

/** A hookpoint, what is wanted of it, and for which classifier. */
interface Reading {
  readonly classifier: FeatureClassifier;
  readonly target: Target;
  readonly wanted: ReadonlySet<number>;
  readonly layer: LayerFeatures;
}

/** What classifiers read, in the order of the pass: latents and neurons alternate. */
function readingsOf(classifiers: readonly FeatureClassifier[]): Reading[] {
  return classifiers.flatMap((classifier) => {
    const wanted = wantedUnits(classifier);
    return classifier.targets.map((target, i) => ({
      classifier,
      target,
      wanted: wanted[i],
      layer: classifier.layers[i],
    }));
  }).sort((a, b) => comesBefore(a.target.hookpoint, b.target.hookpoint) ? -1 : 1);
}

function scoresBy(
  classifier: FeatureClassifier,
  readings: readonly Reading[],
  activations: readonly SparseActivations[],
): FeatureScores {
  const own = [...readings.keys()].filter((i) => readings[i].classifier === classifier);
  return featureScores(
    classifier.languages.length,
    own.map((i) => readings[i].layer),
    own.map((i) => activations[i]),
  );
}

function afterFirstToken({ offsets, units, values }: SparseActivations): SparseActivations {
  const first = offsets[1];
  return {
    offsets: offsets.slice(1).map((offset) => offset - first),
    units: units.subarray(first),
    values: values.subarray(first),
  };
}

async function scoresOfMeans(
  model: Reader,
  { diffmean }: ModelClassifiers,
  texts: readonly { readonly ids: Uint32Array }[],
  { excluded, progressed }: ScoringOptions,
): Promise<ModelScores> {
  if (!diffmean) return {};
  const scores: number[][] = [];
  for await (const means of textMeans(model, diffmean.hookpoints, texts, excluded)) {
    progressed(texts[scores.length].ids.length);
    scores.push(diffMeanScores(diffmean.directions, means));
  }
  return { diffmean: scores };
}
