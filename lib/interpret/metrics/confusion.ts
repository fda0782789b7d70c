/** Confusion counts of predictions that a latent fires, and what follows from them (spec B.10). */
import type { ScoredExample } from "../scorers/scorer.ts";

/** Rows by what is so and what was predicted. */
export interface ConfusionCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** Shares; 0 where they would divide by zero, as the originals have it. */
export interface ConfusionMetrics {
  readonly precision: number;
  readonly recall: number;
  readonly f1_score: number;
  /** Class-balanced: mean of the true positive and the true negative rate. */
  readonly accuracy: number;
  readonly true_positive_rate: number;
  readonly true_negative_rate: number;
  readonly false_positive_rate: number;
  readonly false_negative_rate: number;
}

/** What is counted of a row. */
export type PredictedRow = Pick<ScoredExample, "activating" | "prediction">;

/**
 * Counts rows; those without a prediction are left out.
 *
 * @param weights how often each row counts; once, if not given
 */
export function confusionCounts(
  rows: readonly PredictedRow[],
  weights?: ArrayLike<number>,
): ConfusionCounts {
  const counts = [0, 0, 0, 0];
  rows.forEach(({ activating, prediction }, i) => {
    if (prediction !== null) counts[2 * +activating + +prediction] += weights?.[i] ?? 1;
  });
  const [trueNegatives, falsePositives, falseNegatives, truePositives] = counts;
  return { truePositives, falsePositives, trueNegatives, falseNegatives };
}

/** Counts of several latents together. */
export function pooledCounts(counts: readonly ConfusionCounts[]): ConfusionCounts {
  const total = (of: (counts: ConfusionCounts) => number) =>
    counts.reduce((sum, one) => sum + of(one), 0);
  return {
    truePositives: total(({ truePositives }) => truePositives),
    falsePositives: total(({ falsePositives }) => falsePositives),
    trueNegatives: total(({ trueNegatives }) => trueNegatives),
    falseNegatives: total(({ falseNegatives }) => falseNegatives),
  };
}

/** The metrics of counts. */
export function confusionMetrics(counts: ConfusionCounts): ConfusionMetrics {
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = counts;
  const [positives, negatives] = [truePositives + falseNegatives, trueNegatives + falsePositives];
  const precision = ratio(truePositives, truePositives + falsePositives);
  const recall = ratio(truePositives, positives);
  const specificity = ratio(trueNegatives, negatives);
  return {
    precision,
    recall,
    f1_score: ratio(2 * precision * recall, precision + recall),
    accuracy: (recall + specificity) / 2,
    true_positive_rate: recall,
    true_negative_rate: specificity,
    false_positive_rate: ratio(falsePositives, negatives),
    false_negative_rate: ratio(falseNegatives, positives),
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
