/** What the rows of one latent say of its explanation, for every scorer in the same form. */
import type { ConfusionCounts } from "./confusion.ts";

/** A number and its 95 % interval; all NaN where it is not defined. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Scores of one latent by one scorer. */
export interface LatentScore {
  /** Rows that have a prediction. */
  readonly scored: number;
  /** Rows that have none: their answers were of no use. */
  readonly failed: number;
  /** Of scorers that predict whether a latent fires: what pooled metrics are made from. */
  readonly counts?: ConfusionCounts;
  /** By name, e.g. `accuracy` (class-balanced, as the originals call it), `f1_score`, `auc`. */
  readonly metrics: Readonly<Record<string, Estimate>>;
  /** The one of {@linkcode metrics} that the scorer is judged by: what is compared with controls. */
  readonly main: string;
}

/** A number without an interval, where there is too little to make one of. */
export function point(value: number): Estimate {
  return { value, low: NaN, high: NaN };
}
