/** Tokens become columns, so that a product sums over them: kernels/transpose_rows.wgsl. */
import source from "../../kernels/transpose_rows.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** What the transposed values are multiplied by, and whether they are added to what is there. */
export interface Transposition {
  /** Entry `at` of `values` on the GPU; 1 where there is none. */
  readonly factor?: { readonly values: GPUBuffer; readonly at: number };
  readonly add?: boolean;
}

/**
 * Records y[c, t] = (y[c, t] +) factor · x[t, c]; columns of y past the rows of x get 0.
 *
 * @param y [width of x, at least the rows of x]
 */
export function recordTransposeRows(
  gpu: Gpu,
  recorder: Recorder,
  x: Rows,
  y: Rows,
  { factor, add }: Transposition = {},
): void {
  const kernel = gpu.kernel("transpose_rows", source, {
    LANES: gpu.lanes,
    FACTOR: factor ? 1 : 0,
    ADD: add ? 1 : 0,
  });
  const quads = y.stride / 4;
  const columnGroups = Math.ceil(x.width / gpu.lanes);
  const bindings = [bindRows(x), bindRows(y), ...(factor ? [factor.values] : [])];
  const params = [x.rows, x.stride, x.width, quads, columnGroups, factor?.at ?? 0];
  recorder.dispatchItems(kernel, bindings, params, columnGroups * quads);
}
