/** Steps of schedule-free Signum: kernels/signum.wgsl. */
import source from "../../kernels/signum.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { eachValueKernel, recordEachValue } from "./each_value.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import type { Rows } from "./rows.ts";

/** What changes from step to step. */
export interface SignumStep {
  readonly beta: number;
  /** Learning rate. */
  readonly rate: number;
  /** Weight of this step in the average: 1 at the first. */
  readonly c: number;
}

/**
 * Records a step: y and z are replaced.
 *
 * @param y what is trained
 * @param z where the steps have led
 * @param g gradient at y; all three of one size
 */
export function recordSignum(
  gpu: Gpu,
  recorder: Recorder,
  y: Rows,
  z: Rows,
  g: Rows,
  { beta, rate, c }: SignumStep,
): void {
  const kernel = eachValueKernel(gpu, "signum", source, { OP: "step" });
  const params = [1 - 1 / beta, 1 - beta, rate, c].map(floatBits);
  recordEachValue(gpu, recorder, kernel, [y, z, g], params);
}

/** Records x = y + (1 - 1/beta) (z - y), the average; y and z stay as they are. */
export function recordSignumAverage(
  gpu: Gpu,
  recorder: Recorder,
  y: Rows,
  z: Rows,
  x: Rows,
  beta: number,
): void {
  const kernel = eachValueKernel(gpu, "signum", source, { OP: "average" });
  recordEachValue(gpu, recorder, kernel, [y, z, x], [floatBits(1 - 1 / beta)]);
}
