/** How well numbers tell two groups apart. */
import { clusterBootstrap } from "../../stats/bootstrap.ts";
import { ranks } from "../../stats/correlation.ts";
import type { Estimate } from "./latent_score.ts";

/**
 * Area under the receiver operating characteristic: how often a positive's number is larger than a
 * negative's, equal ones half (Mann & Whitney 1947; Hanley & McNeil 1982); NaN if a group is empty.
 */
export function areaUnderCurve(
  positives: readonly number[],
  negatives: readonly number[],
): number {
  const pairs = positives.length * negatives.length;
  if (pairs === 0) return NaN;
  const rankSum = ranks([...positives, ...negatives])
    .subarray(0, positives.length)
    .reduce((sum, rank) => sum + rank, 0);
  return (rankSum - positives.length * (positives.length + 1) / 2) / pairs;
}

/** The area, with the interval of a bootstrap of the numbers. */
export function areaUnderCurveEstimate(
  positives: readonly number[],
  negatives: readonly number[],
): Estimate {
  const all = positives.length + negatives.length;
  if (positives.length === 0 || negatives.length === 0) return { value: NaN, low: NaN, high: NaN };
  const [interval] = clusterBootstrap(all, (weights) => [
    areaUnderCurve(
      positives.flatMap((value, i) => Array<number>(weights[i]).fill(value)),
      negatives.flatMap((value, i) => Array<number>(weights[positives.length + i]).fill(value)),
    ),
  ]);
  return { value: areaUnderCurve(positives, negatives), ...interval };
}
