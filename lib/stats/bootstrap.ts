/** Intervals by resampling clusters: what lies in one cluster (a document) is not independent. */
import { type Random, seededRandom } from "./random.ts";

/** A percentile interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** How intervals are made. */
export interface BootstrapOptions {
  /** Resamples. */
  readonly replicates?: number;
  readonly seed?: number;
  /** Coverage. */
  readonly level?: number;
}

/**
 * Percentile intervals of some statistics under the cluster bootstrap: as many clusters are drawn, with
 * replacement, as there are (Davison & Hinkley 1997, 3.8).
 *
 * @param clusters how many there are
 * @param statistics of a resample in which cluster `i` is contained `weights[i]` times; NaN where a
 *   statistic is not defined, and left out
 */
export function clusterBootstrap(
  clusters: number,
  statistics: (weights: Uint32Array) => readonly number[],
  { replicates = 1000, seed = 0, level = 0.95 }: BootstrapOptions = {},
): Interval[] {
  const random = seededRandom(seed);
  const samples = Array.from(
    { length: replicates },
    () => statistics(resampled(random, clusters)),
  );
  return samples[0].map((_, s) => percentiles(samples.map((values) => values[s]), level));
}

/** How often each of `clusters` clusters is in one resample. */
export function resampled(random: Random, clusters: number): Uint32Array<ArrayBuffer> {
  const weights = new Uint32Array(clusters);
  for (let i = 0; i < clusters; i++) weights[Math.floor(random() * clusters)]++;
  return weights;
}

/** The central interval that holds a share `level` of the values. */
export function percentiles(values: ArrayLike<number>, level: number): Interval {
  const sorted = Float64Array.from(values).filter((value) => !Number.isNaN(value)).sort();
  return { low: quantile(sorted, (1 - level) / 2), high: quantile(sorted, (1 + level) / 2) };
}

/**
 * Quantile of ascending values by linear interpolation (NumPy's default; Hyndman & Fan 1996, type 7);
 * NaN of none.
 *
 * @param share from 0 to 1
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return NaN;
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const next = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[next] - sorted[below]);
}
