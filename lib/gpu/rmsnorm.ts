/** RMSNorm: kernels/rmsnorm.wgsl. */
import source from "../../kernels/rmsnorm.wgsl" with { type: "text" };
import rowSumSource from "../../kernels/row_sum.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import { rowSumConstants } from "./row_sum.ts";
import { bindRows, type Rows } from "./rows.ts";

/**
 * Records y = weight · x / rms(x).
 *
 * @param weight [stride of x] f32, zero past its width
 * @param eps added to the mean square
 * @param update what is added to x first, and stays added: the residual connection
 */
export function recordRmsNorm(
  gpu: Gpu,
  recorder: Recorder,
  x: Rows,
  weight: GPUBuffer,
  eps: number,
  y: Rows,
  update?: Rows,
): void {
  const constants = { ...rowSumConstants(gpu), ADD: update ? 1 : 0 };
  const kernel = gpu.kernel("rmsnorm", rowSumSource + source, constants);
  const params = [x.rows, x.stride / 4, x.width, floatBits(eps)];
  const bindings = [bindRows(x), weight, bindRows(y), ...update ? [bindRows(update)] : []];
  recorder.dispatchItems(kernel, bindings, params, x.rows);
}
