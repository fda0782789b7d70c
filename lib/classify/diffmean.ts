/**
 * DiffMean as a classifier: a text's mean activation, seen along the directions in which the means of
 * languages differ (the baseline of AxBench, arXiv 2501.17148, with one direction per language).
 */
import type { DiffMean } from "../lape/diffmean.ts";

/** One language's direction at one layer. */
interface Direction {
  /** d / |d|; [width] */
  readonly unit: Float64Array;
  /** Where along it the score is 0. */
  readonly zero: number;
}

/** Directions by language and layer. */
export type DiffMeanDirections = readonly (readonly Direction[])[];

/**
 * The direction of a language at a layer: d = mean - (mean of the other languages' means), brought to
 * unit length. Its zero is the point m halfway between those two: with c the mean of all n languages'
 * means, m = c + (1/2 - 1/n) d. Where d is 0 the direction says nothing.
 */
export function diffMeanDirections(diff: DiffMean): DiffMeanDirections {
  const { languages, layers, width, mean, centre } = diff;
  return languages.map((_, g) =>
    layers.map((_, l) => {
      const at = (g * layers.length + l) * width;
      const d = Float64Array.from(mean.subarray(at, at + width));
      const length = Math.sqrt(dot(d, d));
      const unit = length === 0 ? d : d.map((value) => value / length);
      const middle = dot(unit, centre.subarray(l * width, (l + 1) * width));
      return { unit, zero: middle + (1 / 2 - 1 / languages.length) * length };
    })
  );
}

/**
 * Scores of one text: over layers, the sum of (x - m) · d / |d|, with x the text's mean activation.
 *
 * @param means of the text's tokens, one vector [width] per layer
 */
export function diffMeanScores(
  directions: DiffMeanDirections,
  means: readonly Float64Array[],
): number[] {
  return directions.map((layers) =>
    layers.reduce((sum, { unit, zero }, l) => sum + dot(unit, means[l]) - zero, 0)
  );
}

function dot(a: Float64Array, b: ArrayLike<number>): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
