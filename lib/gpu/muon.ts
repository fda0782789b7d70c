/** The elementwise parts of Muon: kernels/muon.wgsl. */
import source from "../../kernels/muon.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { eachValueKernel, recordEachValue } from "./each_value.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import type { Rows } from "./rows.ts";

/** Records m = m + (1 - mu) (g - m), then g = g + mu (m - g). Both are of one size. */
export function recordNesterov(gpu: Gpu, recorder: Recorder, m: Rows, g: Rows, mu: number): void {
  const kernel = eachValueKernel(gpu, "muon", source, { OP: "momentum" });
  recordEachValue(gpu, recorder, kernel, [m, g], [floatBits(1 - mu)]);
}

/** Records w = keep w - step x. Both are of one size. */
export function recordDecayedStep(
  gpu: Gpu,
  recorder: Recorder,
  w: Rows,
  x: Rows,
  { keep, step }: { readonly keep: number; readonly step: number },
): void {
  const kernel = eachValueKernel(gpu, "muon", source, { OP: "update" });
  recordEachValue(gpu, recorder, kernel, [w, x], [floatBits(keep), floatBits(step)]);
}
