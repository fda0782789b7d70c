/** Rows of unit length, and gradients along them: kernels/unit_rows.wgsl. */
import rowSumSource from "../../kernels/row_sum.wgsl" with { type: "text" };
import source from "../../kernels/unit_rows.wgsl" with { type: "text" };
import { bindableRanges } from "./changing_matrix.ts";
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { rowSumConstants } from "./row_sum.ts";
import { bindRows, type Rows, rowsBetween } from "./rows.ts";

/** Records w_i = w_i / (|w_i| + 2^-23) for every row. */
export function recordNormaliseRows(gpu: Gpu, recorder: Recorder, w: Rows): void {
  record(gpu, recorder, "normalise", [w]);
}

/** Records g_i = g_i - <g_i, w_i> w_i for every row: g without what lies along w, whose rows are unit. */
export function recordProjectRows(gpu: Gpu, recorder: Recorder, w: Rows, g: Rows): void {
  record(gpu, recorder, "project", [w, g]);
}

function record(
  gpu: Gpu,
  recorder: Recorder,
  operation: "normalise" | "project",
  matrices: Rows[],
): void {
  const kernel = gpu.kernel("unit_rows", rowSumSource + source, {
    OP: operation,
    ...rowSumConstants(gpu),
  });
  const [{ rows: all, stride }] = matrices;
  for (const { first, rows } of bindableRanges(gpu, all, stride)) {
    const bindings = matrices.map((matrix) => bindRows(rowsBetween(matrix, first, first + rows)));
    recorder.dispatchItems(kernel, bindings, [rows, stride / 4], rows);
  }
}
