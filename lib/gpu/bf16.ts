/** Arithmetic that rounds to bf16, on values in f32: kernels/bf16.wgsl. */
import source from "../../kernels/bf16.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { eachValueKernel, recordEachValue } from "./each_value.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import type { Rows } from "./rows.ts";

/** Records y rounded to bf16, to nearest, ties to even. */
export function recordRound(gpu: Gpu, recorder: Recorder, y: Rows): void {
  record(gpu, recorder, "round", [y], 0);
}

/** Records y = factor x, rounded. Both are of one size. */
export function recordScaleRounded(
  gpu: Gpu,
  recorder: Recorder,
  y: Rows,
  factor: number,
  x: Rows,
): void {
  record(gpu, recorder, "scale", [y, x], factor);
}

/** Records y = factor x + y, rounded, and so are both before they are added. Both are of one size. */
export function recordAddRounded(
  gpu: Gpu,
  recorder: Recorder,
  y: Rows,
  factor: number,
  x: Rows,
): void {
  record(gpu, recorder, "add", [y, x], factor);
}

function record(
  gpu: Gpu,
  recorder: Recorder,
  operation: "round" | "scale" | "add",
  matrices: readonly Rows[],
  factor: number,
): void {
  const kernel = eachValueKernel(gpu, "bf16", source, { OP: operation });
  recordEachValue(gpu, recorder, kernel, matrices, [floatBits(factor)]);
}
