/** One of several vectors added to each row: kernels/add_vector.wgsl. */
import source from "../../kernels/add_vector.wgsl" with { type: "text" };
import { type Gpu, ITEM_LANES } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** The group of a row that is left as it is. */
export const NO_GROUP = 0xffffffff;

/**
 * Records y[t] += vectors[groups[t]].
 *
 * @param vectors [groups, y.width]
 * @param groups [y.rows] u32, each a row of `vectors` or {@linkcode NO_GROUP}; without them every row
 *   gets the first vector
 */
export function recordAddVector(
  gpu: Gpu,
  recorder: Recorder,
  y: Rows,
  vectors: Rows,
  groups?: GPUBufferBinding,
): void {
  if (vectors.width !== y.width) {
    throw new RangeError(`vectors of ${vectors.width} values for rows of ${y.width}`);
  }
  const kernel = gpu.kernel("add_vector", source, { LANES: ITEM_LANES, GROUPED: groups ? 1 : 0 });
  const quads = y.stride / 4;
  const count = y.rows * quads;
  const bindings = [bindRows(y), bindRows(vectors), ...(groups ? [groups] : [])];
  recorder.dispatchItems(kernel, bindings, [count, quads], Math.ceil(count / ITEM_LANES));
}
