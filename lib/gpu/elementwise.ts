/** Elementwise operations in place: kernels/elementwise.wgsl. */
import source from "../../kernels/elementwise.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** vec4s per invocation. */
const SPAN = 4;

type Operation = "add" | "multiply" | "silu" | "scale" | "threshold";

/** Records y += x. */
export function recordAdd(gpu: Gpu, recorder: Recorder, y: Rows, x: Rows): void {
  record(gpu, recorder, "add", y, [bindRows(x)]);
}

/** Records y = y · x, elementwise. */
export function recordMultiply(gpu: Gpu, recorder: Recorder, y: Rows, x: Rows): void {
  record(gpu, recorder, "multiply", y, [bindRows(x)]);
}

/** Records y = silu(y): what hookpoint `mlp.act_fn` sees. */
export function recordSilu(gpu: Gpu, recorder: Recorder, y: Rows): void {
  record(gpu, recorder, "silu", y, []);
}

/** Records y = y · row for every row of y. `row` holds one stride of f32. */
export function recordScale(gpu: Gpu, recorder: Recorder, y: Rows, row: Binding): void {
  record(gpu, recorder, "scale", y, [row]);
}

/** Records y = y where y > max(0, row), else 0, for every row of y. `row` holds one stride of f32. */
export function recordThreshold(gpu: Gpu, recorder: Recorder, y: Rows, row: Binding): void {
  record(gpu, recorder, "threshold", y, [row]);
}

function record(
  gpu: Gpu,
  recorder: Recorder,
  operation: Operation,
  y: Rows,
  operands: Binding[],
): void {
  const kernel = gpu.kernel("elementwise", source, { OP: operation, LANES: gpu.lanes, SPAN });
  const quads = y.stride / 4;
  const count = y.rows * quads;
  const groups = Math.ceil(count / (gpu.lanes * SPAN));
  recorder.dispatchItems(kernel, [bindRows(y), ...operands], [count, quads], groups);
}
