/** Rotary position embedding: kernels/rope.wgsl. */
import source from "../../kernels/rope.wgsl" with { type: "text" };
import { type Gpu, ITEM_LANES } from "./device.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/**
 * Records the rotation of the first `heads` heads of each row, in place.
 *
 * @param positions [rows] u32
 * @param table [positions, headDim / 2] (cos, sin) pairs
 * @param headDim a multiple of 4
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
  const width = headDim % 8 === 0 ? 4 : 2;
  const kernel = gpu.kernel("rope", source, { LANES: ITEM_LANES, WIDTH: width });
  const half = headDim / 2 / width;
  const params = [z.rows, z.stride / width, heads * half, half];
  const groups = Math.ceil(z.rows * heads * half / ITEM_LANES);
  recorder.dispatchItems(kernel, [bindRows(z), positions, table], params, groups);
}
