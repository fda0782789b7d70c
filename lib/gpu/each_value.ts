/** Kernels that treat every value of equally large matrices alike, however large these are. */
import { bindableRanges } from "./changing_matrix.ts";
import type { Gpu, Kernel } from "./device.ts";
import type { Binding, Params, Recorder } from "./recorder.ts";
import { bindRows, type Rows, rowsBetween } from "./rows.ts";
import type { Constants } from "./template.ts";

/** vec4s per invocation. */
const SPAN = 8;

/** A kernel with SPAN vec4s per invocation, LANES apart, that knows their number as `count`. */
export function eachValueKernel(
  gpu: Gpu,
  name: string,
  source: string,
  constants: Constants,
): Kernel {
  return gpu.kernel(name, source, { ...constants, LANES: gpu.lanes, SPAN });
}

/**
 * Records a kernel of {@linkcode eachValueKernel} for all values, padding included, by ranges of rows
 * that can be bound.
 *
 * @param matrices of one size, bound from 0 upwards; `shared` are bound after them
 * @param params what follows `count`
 */
export function recordEachValue(
  gpu: Gpu,
  recorder: Recorder,
  kernel: Kernel,
  matrices: readonly Rows[],
  params: Params,
  shared: readonly Binding[] = [],
): void {
  const [{ rows: all, stride }] = matrices;
  if (matrices.some((matrix) => matrix.rows !== all || matrix.stride !== stride)) {
    throw new RangeError(`${kernel.name}: matrices of different sizes`);
  }
  for (const { first, rows } of bindableRanges(gpu, all, stride)) {
    const bindings = matrices.map((matrix) => bindRows(rowsBetween(matrix, first, first + rows)));
    const count = rows * stride / 4;
    const groups = Math.ceil(count / (gpu.lanes * SPAN));
    recorder.dispatchItems(kernel, [...bindings, ...shared], [count, ...params], groups);
  }
}
