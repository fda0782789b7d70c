/** Statistics of the activations of each unit (spec section 3), in f64 from f32 values. */
import { quantile } from "../stats/bootstrap.ts";
import type { OccurrencesByUnit } from "./by_unit.ts";

/** What is said of some activations. */
export interface ActivationSummary {
  readonly count: number;
  readonly avg: number;
  /** Quartiles by linear interpolation, NumPy's default. */
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly minActive: number;
  readonly maxActive: number;
  /** Of the population (divided by the count). */
  readonly std: number;
}

/** The summary of a unit. */
export interface UnitSummary extends ActivationSummary {
  readonly index: number;
}

/** Summaries of the units that occur, by index. */
export function summariseUnits({ starts, values }: OccurrencesByUnit): UnitSummary[] {
  const summaries: UnitSummary[] = [];
  for (let index = 0; index + 1 < starts.length; index++) {
    const [from, to] = [starts[index], starts[index + 1]];
    if (to > from) summaries.push({ index, ...summarise(values.subarray(from, to)) });
  }
  return summaries;
}

/** @param values at least one, in any order */
export function summarise(values: Float32Array): ActivationSummary {
  const sorted = values.toSorted();
  const count = sorted.length;
  const avg = sorted.reduce((sum, value) => sum + value, 0) / count;
  const squares = sorted.reduce((sum, value) => sum + (value - avg) ** 2, 0);
  return {
    count,
    avg,
    q1: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    q3: quantile(sorted, 0.75),
    minActive: sorted[0],
    maxActive: sorted[count - 1],
    std: Math.sqrt(squares / count),
  };
}
