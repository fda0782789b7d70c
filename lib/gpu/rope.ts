/** Rotary position embedding: kernels/rope.wgsl. */
import source from "../../kernels/rope.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/**
 * Records the rotation of the first `heads` heads of each row, in place.
 *
 * @param positions [rows] u32
 * @param table [positions, headDim / 2] (cos, sin) pairs
 */
export function recordRope(
  gpu: Gpu,
  recorder: Recorder,
  z: Rows,
  positions: Binding,
  table: GPUBuffer,
  heads: number,
  headDim: number,
): void {
  const kernel = gpu.kernel("rope", source, { LANES: gpu.lanes });
  const params = [z.rows, z.stride, heads, headDim / 2];
  recorder.dispatchItems(kernel, [bindRows(z), positions, table], params, z.rows);
}
