/** The score of one latent by detection or fuzzing, with intervals. */
import { clusterBootstrap, type Interval } from "../../stats/bootstrap.ts";
import { wilson } from "../../stats/proportion.ts";
import type { ScoredExample } from "../scorers/scorer.ts";
import { areaUnderCurve } from "./area_under_curve.ts";
import {
  type ConfusionCounts,
  confusionCounts,
  type ConfusionMetrics,
  confusionMetrics,
  pooledCounts,
} from "./confusion.ts";
import type { Estimate, LatentScore } from "./latent_score.ts";

/**
 * Metrics of rows. Shares of rows have Wilson's interval. Balanced accuracy, F1 and AUC have that of a
 * bootstrap of questions, since the rows of one answer are not independent; that of the first two reaches
 * as far as if rows were independent, since where nothing is wrong a bootstrap knows no doubt.
 *
 * @param rowsPerQuestion consecutive rows that were answered together
 */
export function confusionScore(
  rows: readonly ScoredExample[],
  rowsPerQuestion: number,
): LatentScore {
  const counts = confusionCounts(rows);
  const questions = Array.from(
    { length: Math.ceil(rows.length / rowsPerQuestion) },
    (_, i) => rows.slice(i * rowsPerQuestion, (i + 1) * rowsPerQuestion),
  );
  const drawn = confusionEstimates(questions.map((question) => confusionCounts(question)));
  const auc = probabilityArea(rows);
  const scored = rows.filter(({ prediction }) => prediction !== null).length;
  return {
    scored,
    failed: rows.length - scored,
    counts,
    metrics: {
      ...shares(counts),
      f1_score: wider(drawn.f1_score, f1Interval(counts)),
      accuracy: wider(drawn.accuracy, balancedInterval(counts)),
      ...(Number.isNaN(auc) ? {} : { auc: areaEstimate(auc, questions) }),
    },
    main: "accuracy",
  };
}

/**
 * All metrics of pooled counts, with the interval of a bootstrap of the counts, be they of questions or of
 * latents; resamples in which the latent fires everywhere or nowhere say nothing.
 */
export function confusionEstimates(
  parts: readonly ConfusionCounts[],
): Record<keyof ConfusionMetrics, Estimate> {
  const metrics = confusionMetrics(pooledCounts(parts));
  const names = Object.keys(metrics) as (keyof ConfusionMetrics)[];
  const intervals = clusterBootstrap(parts.length, (weights) => {
    const counts = weighted(parts, weights);
    const drawn = confusionMetrics(counts);
    return names.map((name) => hasBothKinds(counts) ? drawn[name] : NaN);
  });
  const estimates = names.map((name, i) => [name, { value: metrics[name], ...intervals[i] }]);
  return Object.fromEntries(estimates);
}

function hasBothKinds(counts: ConfusionCounts): boolean {
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = counts;
  return truePositives + falseNegatives > 0 && trueNegatives + falsePositives > 0;
}

function weighted(parts: readonly ConfusionCounts[], weights: Uint32Array): ConfusionCounts {
  let [truePositives, falsePositives, trueNegatives, falseNegatives] = [0, 0, 0, 0];
  parts.forEach((part, i) => {
    truePositives += weights[i] * part.truePositives;
    falsePositives += weights[i] * part.falsePositives;
    trueNegatives += weights[i] * part.trueNegatives;
    falseNegatives += weights[i] * part.falseNegatives;
  });
  return { truePositives, falsePositives, trueNegatives, falseNegatives };
}

function shares(counts: ConfusionCounts) {
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = counts;
  const positives = truePositives + falseNegatives;
  const negatives = trueNegatives + falsePositives;
  return {
    precision: share(truePositives, truePositives + falsePositives),
    recall: share(truePositives, positives),
    true_positive_rate: share(truePositives, positives),
    true_negative_rate: share(trueNegatives, negatives),
    false_positive_rate: share(falsePositives, negatives),
    false_negative_rate: share(falseNegatives, positives),
  };
}

/** F1 is 2 j / (1 + j) of the share j of true positives in all rows but the true negatives. */
function f1Interval(
  { truePositives, falsePositives, falseNegatives }: ConfusionCounts,
): Interval {
  const { low, high } = wilson(truePositives, truePositives + falsePositives + falseNegatives);
  return { low: 2 * low / (1 + low), high: 2 * high / (1 + high) };
}

/** Interval of half the sum of two independent shares, from theirs (Newcombe 1998, method 10). */
function balancedInterval(counts: ConfusionCounts): Interval {
  const { true_positive_rate: a, true_negative_rate: b } = shares(counts);
  return {
    low: (a.value + b.value - Math.hypot(a.value - a.low, b.value - b.low)) / 2,
    high: (a.value + b.value + Math.hypot(a.high - a.value, b.high - b.value)) / 2,
  };
}

function wider({ value, low, high }: Estimate, other: Interval): Estimate {
  const lowest = Number.isNaN(low) ? other.low : Math.min(low, other.low);
  const highest = Number.isNaN(high) ? other.high : Math.max(high, other.high);
  return { value, low: lowest, high: highest };
}

/** A share with Wilson's interval; 0 of none. */
export function share(hits: number, total: number): Estimate {
  return { value: total === 0 ? 0 : hits / total, ...wilson(hits, total) };
}

/** AUC of rows that have a probability; NaN where none has. */
function probabilityArea(rows: readonly ScoredExample[]): number {
  const probabilities = (kind: boolean) =>
    rows.flatMap(({ activating, probability }) =>
      activating === kind && probability !== null ? [probability] : []
    );
  return areaUnderCurve(probabilities(true), probabilities(false));
}

function areaEstimate(value: number, questions: readonly (readonly ScoredExample[])[]): Estimate {
  const [interval] = clusterBootstrap(questions.length, (weights) => [
    probabilityArea(
      questions.flatMap((rows, i) => Array<typeof rows>(weights[i]).fill(rows)).flat(),
    ),
  ], { replicates: 200 });
  return { value, ...interval };
}
