/**
 * How much a text's activations speak for each language (spec section 9): sums over the slots whose
 * latent or neuron is a feature of the language.
 */
import { InputError } from "../formats/input_error.ts";
import type { SparseActivations } from "../interpret/activations.ts";
import type { LapeResult } from "../lape/lape_json.ts";

/** A language that a feature belongs to, and the feature's range of values. */
interface Owner {
  /** Position among the result's languages. */
  readonly language: number;
  /** Smallest activation over all languages, and the largest minus it (quirk 28). */
  readonly min: number;
  readonly range: number;
}

/** The features of one layer: unit → its languages; several where features are shared. */
export type LayerFeatures = ReadonlyMap<number, readonly Owner[]>;

/** Keeps a feature whose activations are all one value from dividing by zero; the original's. */
const EPSILON = 1e-6;

/** The features of a result in one absolute layer. */
export function featuresInLayer({ features }: LapeResult, layer: number): LayerFeatures {
  const owners = new Map<number, Owner[]>();
  for (const [language, list] of features.entries()) {
    for (const { layer: at, index, globalMax, globalMin } of list) {
      if (at !== layer) continue;
      const owner = { language, min: globalMin, range: globalMax - globalMin + EPSILON };
      owners.set(index, [...owners.get(index) ?? [], owner]);
    }
  }
  return owners;
}

/** Features that each language owns in some layers: what normalised scores are divided by. */
export function featureCounts(languages: number, layers: readonly LayerFeatures[]): number[] {
  const counts = new Array<number>(languages).fill(0);
  for (const owners of layers.flatMap((layer) => [...layer.values()]).flat()) {
    counts[owners.language]++;
  }
  return counts;
}

/** Scores of one text, one number per language. */
export interface FeatureScores {
  /** sae-count, neuron-count: slots. */
  readonly count: number[];
  /** sae-min-max: sum over slots of (a - min) / (max - min + 1e-6), not clipped. */
  readonly minMax: number[];
}

/**
 * Scores of one text.
 *
 * @param languages how many there are
 * @param layers features at each target
 * @param activations at the same targets
 */
export function featureScores(
  languages: number,
  layers: readonly LayerFeatures[],
  activations: readonly SparseActivations[],
): FeatureScores {
  const count = new Array<number>(languages).fill(0);
  const minMax = new Array<number>(languages).fill(0);
  for (const [i, { units, values }] of activations.entries()) {
    for (const [slot, unit] of units.entries()) {
      for (const { language, min, range } of layers[i].get(unit) ?? []) {
        count[language]++;
        minMax[language] += (values[slot] - min) / range;
      }
    }
  }
  return { count, minMax };
}

/**
 * Scores per feature that a language owns: published scores compare languages with 48 neurons to
 * such with 348 (quirk 29). A language without features stays at 0.
 */
export function normalised(scores: readonly number[], features: readonly number[]): number[] {
  return scores.map((score, language) => score / Math.max(1, features[language]));
}

/**
 * Refuses a result that some other model or SAE was looked into for, or that has no features at all.
 *
 * @param widths units per absolute layer; undefined where there is no target
 * @param where names the result in messages
 */
export function checkFeatures(
  { features }: LapeResult,
  widths: ReadonlyMap<number, number>,
  where: string,
): void {
  const named = features.flat();
  const beyond = named.find(({ layer, index }) => index >= (widths.get(layer) ?? Infinity));
  if (beyond) {
    throw new InputError(
      `${where} names feature ${beyond.index} of layer ${beyond.layer}, but there are ` +
        `${widths.get(beyond.layer)}: name the model and SAEs that it was made with.`,
    );
  }
  if (!named.some(({ layer }) => widths.has(layer))) {
    throw new InputError(
      `${where} names no feature of ${
        [...widths.keys()].map((layer) => `layer ${layer}`).join(", ")
      }: ` +
        `expected at least one; name other layers by --layer, or identify with other options.`,
    );
  }
}
