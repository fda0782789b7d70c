/** Steps of Adam: kernels/adam.wgsl. */
import source from "../../kernels/adam.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { eachValueKernel, recordEachValue } from "./each_value.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import type { Rows } from "./rows.ts";

/** A weight, the running means of its gradient and of the gradient's square, and the gradient. */
export interface AdamRows {
  readonly weight: Rows;
  readonly mean: Rows;
  readonly square: Rows;
  readonly gradient: Rows;
}

/** What is told to a step. */
export interface AdamStep {
  readonly beta1: number;
  readonly beta2: number;
  /** Learning rate. */
  readonly rate: number;
  /** Number of the step, from 1 on. */
  readonly t: number;
}

/** Records a step: the weight and both means are replaced. All four are of one size. */
export function recordAdam(
  gpu: Gpu,
  recorder: Recorder,
  { weight, mean, square, gradient }: AdamRows,
  { beta1, beta2, rate, t }: AdamStep,
): void {
  const kernel = eachValueKernel(gpu, "adam", source, {});
  const step = rate / (1 - beta1 ** t);
  const root = 1 / Math.sqrt(1 - beta2 ** t);
  const params = [1 - beta1, beta2, 1 - beta2, step, root].map(floatBits);
  recordEachValue(gpu, recorder, kernel, [weight, mean, square, gradient], params);
}
