/** The classifiers by name: what each looks at. */

/** Scores of SAE features, of neurons, along DiffMean directions, and of language identifiers. */
export const CLASSIFIERS = [
  "sae-min-max",
  "sae-count",
  "neuron-count",
  "diffmean",
  "fasttext",
  "eld",
] as const;

/** Name of a classifier. */
export type ClassifierName = typeof CLASSIFIERS[number];

/** Those that run texts through the model. */
export const MODEL_CLASSIFIERS = ["sae-min-max", "sae-count", "neuron-count", "diffmean"] as const;
/** Name of a classifier that runs texts through the model. */
export type ModelClassifierName = typeof MODEL_CLASSIFIERS[number];

/** Whether a classifier runs texts through the model. */
export function needsModel(name: ClassifierName): name is ModelClassifierName {
  return (MODEL_CLASSIFIERS as readonly string[]).includes(name);
}

/** Whether a classifier sums over features, so that languages with more of them score higher. */
export function countsFeatures(name: ClassifierName): boolean {
  return name === "sae-min-max" || name === "sae-count" || name === "neuron-count";
}
