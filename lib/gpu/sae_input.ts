/** What an SAE's encoder reads: kernels/sae_input.wgsl. */
import rowSumSource from "../../kernels/row_sum.wgsl" with { type: "text" };
import source from "../../kernels/sae_input.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { rowSumConstants } from "./row_sum.ts";
import { bindRows, type Rows } from "./rows.ts";

/** What is done to each row before the bias is subtracted; the formulas are in the kernel. */
export type RowNorm = "none" | "constant_norm_rescale" | "layer_norm";

/**
 * Records y = norm(x) - bias for every row of x.
 *
 * @param bias [stride of x] f32, zero past its width
 */
export function recordSaeInput(
  gpu: Gpu,
  recorder: Recorder,
  norm: RowNorm,
  x: Rows,
  bias: GPUBuffer,
  y: Rows,
): void {
  const kernel = gpu.kernel("sae_input", rowSumSource + source, {
    NORM: norm,
    ...rowSumConstants(gpu),
  });
  const params = [x.rows, x.stride / 4, x.width];
  recorder.dispatchItems(kernel, [bindRows(x), bias, bindRows(y)], params, x.rows);
}
