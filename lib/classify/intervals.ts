/** How sure accuracy and macro F1 are, when whole documents are drawn again. */
import { type BootstrapOptions, clusterBootstrap, type Interval } from "../stats/bootstrap.ts";
import { classMetrics, confusionMatrix, macro } from "./metrics.ts";

/** 95 % intervals. */
export interface MetricIntervals {
  readonly accuracy: Interval;
  readonly f1Macro: Interval;
}

/**
 * Percentile intervals of accuracy and macro F1 under a bootstrap of documents: texts of one document
 * say the same, so they are drawn together. Macro F1 of a resample is over the classes that are in it.
 *
 * @param classes how many there are
 * @param labels class of each text, by position
 * @param predictions the same, as predicted
 * @param documents name of each text's document
 */
export function metricIntervals(
  classes: number,
  labels: readonly number[],
  predictions: readonly number[],
  documents: readonly string[],
  options: BootstrapOptions = {},
): MetricIntervals {
  const clusters = new Map([...new Set(documents)].map((name, cluster) => [name, cluster]));
  const clusterOf = documents.map((name) => clusters.get(name)!);
  const [accuracy, f1Macro] = clusterBootstrap(clusters.size, (drawn) => {
    const weights = clusterOf.map((cluster) => drawn[cluster]);
    const matrix = confusionMatrix(classes, labels, predictions, weights);
    const { accuracy, f1 } = classMetrics(matrix);
    return [accuracy, macro(f1.filter((_, c) => isPresent(matrix, c)))];
  }, options);
  return { accuracy, f1Macro };
}

function isPresent(matrix: readonly (readonly number[])[], c: number): boolean {
  return matrix.some((row, r) => row[c] > 0 || (r === c && row.some((n) => n > 0)));
}
