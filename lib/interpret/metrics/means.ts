/** Means and differences of means, with intervals. */
import { clusterBootstrap, percentiles, resampled } from "../../stats/bootstrap.ts";
import { seededRandom } from "../../stats/random.ts";
import { type Estimate, point } from "./latent_score.ts";

const UNDEFINED: Estimate = { value: NaN, low: NaN, high: NaN };
const REPLICATES = 1000;
const LEVEL = 0.95;

/**
 * A mean, with the interval of a bootstrap of the values; of one value there is none. Those that are NaN
 * are left out; NaN of none.
 */
export function meanEstimate(values: readonly number[]): Estimate {
  const defined = values.filter((value) => !Number.isNaN(value));
  if (defined.length < 2) return point(mean(defined));
  const [interval] = clusterBootstrap(
    defined.length,
    (weights) => [weightedMean(defined, weights)],
  );
  return { value: mean(defined), ...interval };
}

/**
 * Mean of some values minus mean of others, with the interval of a bootstrap that draws each group anew;
 * of single values there is none. Values that are NaN are left out; NaN where a group is empty.
 */
export function differenceEstimate(values: readonly number[], others: readonly number[]): Estimate {
  const [a, b] = [values, others].map((group) => group.filter((value) => !Number.isNaN(value)));
  if (a.length === 0 || b.length === 0) return UNDEFINED;
  if (a.length === 1 && b.length === 1) return point(a[0] - b[0]);
  const random = seededRandom(0);
  const differences = Array.from(
    { length: REPLICATES },
    () =>
      weightedMean(a, resampled(random, a.length)) - weightedMean(b, resampled(random, b.length)),
  );
  return { value: mean(a) - mean(b), ...percentiles(differences, LEVEL) };
}

/** NaN where all weights are 0. */
export function weightedMean(values: readonly number[], weights: ArrayLike<number>): number {
  let [sum, total] = [0, 0];
  values.forEach((value, i) => {
    sum += weights[i] * value;
    total += weights[i];
  });
  return total === 0 ? NaN : sum / total;
}

/**
 * NaN of none. The sum is compensated for rounding (Kahan 1965), as that of pandas is: a mean that lies
 * between two third decimals is rounded as there.
 */
export function mean(values: readonly number[]): number {
  let [sum, lost] = [0, 0];
  for (const value of values) {
    const term = value - lost;
    const next = sum + term;
    lost = next - sum - term;
    sum = next;
  }
  return sum / values.length;
}
