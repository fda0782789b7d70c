/** Figures of what `classify` measured. */
import { join } from "node:path";
import { z } from "zod";
import { isLanguage, languageOf } from "../../data/languages.ts";
import {
  classFigures,
  classifierDotsFigure,
  classifierFigure,
  classifierMatrixFigure,
  classifierRadarFigure,
  type ClassifierResult,
} from "../../figures/classification.ts";
import type { Figure } from "../../figures/figure.ts";
import { foldersWith, jsonOf, Real } from "./result_folder.ts";

const Bounds = z.tuple([z.number(), z.number()]).nullish()
  .transform((bounds) => bounds ? { low: bounds[0], high: bounds[1] } : undefined);

const Metrics = z.looseObject({
  classes: z.array(z.string()),
  accuracy: Real,
  precision: z.array(Real),
  recall: z.array(Real),
  f1: z.array(Real),
  f1_macro: Real,
  confusion_matrix: z.array(z.array(z.number())),
  accuracy_interval: Bounds,
  f1_macro_interval: Bounds,
});

/** What the paper compares, and what it would have with scores divided by the number of neurons. */
const PUBLISHED = ["sae-count", "neuron-count", "neuron-count-normalized", "fasttext"];

/**
 * All classifiers together, then the matrix of confusions and the classes of each.
 *
 * @throws InputError for files that are damaged
 */
export async function classificationFigures(folder: string): Promise<Figure[]> {
  const place = join(folder, "classification");
  const results: ClassifierResult[] = [];
  for (const name of await foldersWith(place, "metrics.json")) {
    const metrics = await jsonOf(join(place, name, "metrics.json"), Metrics);
    if (metrics) results.push(resultOf(name, metrics));
  }
  if (results.length === 0) return [];
  results.sort((a, b) => b.f1Macro - a.f1Macro);
  const published = PUBLISHED.flatMap((name) => results.filter((result) => result.name === name));
  const compared = published.length > 1 ? published : results.slice(0, PUBLISHED.length);
  return [
    classifierFigure(results),
    classifierMatrixFigure(results),
    classifierRadarFigure(compared),
    classifierDotsFigure(compared),
    ...results.flatMap(classFigures),
  ];
}

function resultOf(name: string, metrics: z.infer<typeof Metrics>): ClassifierResult {
  const names = metrics.classes.map((code) => isLanguage(code) ? languageOf(code).name : code);
  // the file has them in the order of their codes
  const order = names.map((_, i) => i).sort((a, b) => names[a] < names[b] ? -1 : 1);
  const ordered = <T>(values: readonly T[]) => order.map((i) => values[i]);
  return {
    name,
    classes: ordered(names),
    precision: ordered(metrics.precision),
    recall: ordered(metrics.recall),
    f1: ordered(metrics.f1),
    confusion: ordered(metrics.confusion_matrix).map(ordered),
    accuracy: metrics.accuracy,
    accuracyInterval: metrics.accuracy_interval,
    f1Macro: metrics.f1_macro,
    f1MacroInterval: metrics.f1_macro_interval,
  };
}
