/** Sums down columns, the same however rows come in blocks: kernels/{column_sums,sum_partials}.wgsl. */
import source from "../../kernels/column_sums.wgsl" with { type: "text" };
import partialsSource from "../../kernels/sum_partials.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { type Binding, floatBits, type Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** Rows of one block. */
export const SUMMED_ROWS = 64;

/** Blocks of a matrix of so many rows. */
export function summedBlocks(rows: number): number {
  return Math.ceil(rows / SUMMED_ROWS);
}

/** What of a matrix is summed, and where the sums of its blocks go: [blocks, width of x]. */
export interface ColumnSums {
  /** Σ weight x, with weight 1 where there is none. */
  readonly sums?: Rows;
  /** Σ (x - centre)², with centre 0 where there is none. */
  readonly squares?: Rows;
  /** [rows] f32 */
  readonly weight?: Binding;
  /** One row as wide as x, zero past its width. */
  readonly centre?: Rows;
}

/**
 * Records sums down the columns of `x`, by blocks of {@linkcode SUMMED_ROWS} rows.
 *
 * @param firstBlock row of the results that the first block goes to
 */
export function recordColumnSums(
  gpu: Gpu,
  recorder: Recorder,
  x: Rows,
  { sums, squares, weight, centre }: ColumnSums,
  firstBlock: number,
): void {
  const kernel = gpu.kernel("column_sums", source, {
    LANES: gpu.lanes,
    ROWS: SUMMED_ROWS,
    SUMS: sums ? 1 : 0,
    SQUARES: squares ? 1 : 0,
    WEIGHTED: weight ? 1 : 0,
    CENTRED: centre ? 1 : 0,
  });
  const bindings = [
    bindRows(x),
    ...(sums ? [bindRows(sums)] : []),
    ...(squares ? [bindRows(squares)] : []),
    ...(weight ? [weight] : []),
    ...(centre ? [bindRows(centre)] : []),
  ];
  const quads = x.stride / 4;
  const columnGroups = Math.ceil(quads / gpu.lanes);
  const params = [x.rows, quads, columnGroups, firstBlock];
  recorder.dispatchItems(kernel, bindings, params, columnGroups * summedBlocks(x.rows));
}

/** What the sum of all blocks is multiplied by, and whether it is added to what is there. */
export interface PartialSum {
  readonly scale: number;
  /** A number that the GPU has found out: entry `at` of `values`. */
  readonly factor?: { readonly values: GPUBuffer; readonly at: number };
  readonly add?: boolean;
}

/**
 * Records y = (y +) scale · factor · (sum of the rows of `partial`).
 *
 * @param y one row as wide as `partial`
 */
export function recordSumPartials(
  gpu: Gpu,
  recorder: Recorder,
  partial: Rows,
  y: Rows,
  { scale, factor, add }: PartialSum,
): void {
  const kernel = gpu.kernel("sum_partials", partialsSource, {
    LANES: gpu.lanes,
    ADD: add ? 1 : 0,
    FACTOR: factor ? 1 : 0,
  });
  const bindings = [bindRows(partial), bindRows(y), ...(factor ? [factor.values] : [])];
  const quads = partial.stride / 4;
  const params = [partial.rows, quads, floatBits(scale), factor?.at ?? 0];
  recorder.dispatch(kernel, bindings, params, [Math.ceil(quads / gpu.lanes), 1]);
}
