/** Some rows of a matrix: kernels/gather_rows.wgsl. */
import source from "../../kernels/gather_rows.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** vec4s per invocation. */
const SPAN = 4;

/**
 * Records y[i] = x[chosen[i]]: a batch without the tokens that are left out.
 *
 * @param chosen [rows of y] u32
 * @param y as wide as x
 */
export function recordGatherRows(
  gpu: Gpu,
  recorder: Recorder,
  x: Rows,
  chosen: GPUBuffer,
  y: Rows,
): void {
  const kernel = gpu.kernel("gather_rows", source, { LANES: gpu.lanes, SPAN });
  const quads = x.stride / 4;
  const count = y.rows * quads;
  const groups = Math.ceil(count / (gpu.lanes * SPAN));
  recorder.dispatchItems(kernel, [bindRows(x), chosen, bindRows(y)], [count, quads], groups);
}
