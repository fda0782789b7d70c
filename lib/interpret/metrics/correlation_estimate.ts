/** Correlation of paired values that come in windows. */
import { clusterBootstrap } from "../../stats/bootstrap.ts";
import { pearson } from "../../stats/correlation.ts";
import type { Estimate } from "./latent_score.ts";

/** Paired values of a window. */
export type Pairs = readonly [ArrayLike<number>, ArrayLike<number>];

/** Pearson's coefficient over the pairs of all windows; NaN where a side does not vary. */
export function correlation(windows: readonly Pairs[]): number {
  return bounded(pearson(
    windows.flatMap(([a]) => Array.from(a)),
    windows.flatMap(([, b]) => Array.from(b)),
  ));
}

/**
 * The same with the interval of a bootstrap of windows, as the tokens of one window are not independent.
 */
export function correlationEstimate(windows: readonly Pairs[]): Estimate {
  if (windows.length === 0) return { value: NaN, low: NaN, high: NaN };
  const centres = [mean(windows.map(([a]) => a)), mean(windows.map(([, b]) => b))];
  const moments = windows.map((window) => momentsOf(window, centres));
  const [interval] = clusterBootstrap(windows.length, (weights) => {
    const sums = moments[0].map((_, m) =>
      moments.reduce((sum, window, i) => sum + weights[i] * window[m], 0)
    );
    return [correlationOf(sums)];
  });
  return { value: correlation(windows), ...interval };
}

/** Sums over a window of 1, a, b, a b, a², b², of values from which the overall means are taken. */
function momentsOf([as, bs]: Pairs, [centreA, centreB]: readonly number[]): number[] {
  const sums = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < as.length; i++) {
    const [a, b] = [as[i] - centreA, bs[i] - centreB];
    [1, a, b, a * b, a * a, b * b].forEach((term, m) => sums[m] += term);
  }
  return sums;
}

function correlationOf([n, a, b, ab, aa, bb]: readonly number[]): number {
  const spread = (aa - a * a / n) * (bb - b * b / n);
  return spread > 0 ? bounded((ab - a * b / n) / Math.sqrt(spread)) : NaN;
}

/** Rounding takes a coefficient past 1. */
function bounded(coefficient: number): number {
  return Math.max(-1, Math.min(1, coefficient));
}

function mean(lists: readonly ArrayLike<number>[]): number {
  const values = lists.flatMap((list) => Array.from(list));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
