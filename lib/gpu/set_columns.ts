/** Some columns of each row set or added to: kernels/set_columns.wgsl. */
import source from "../../kernels/set_columns.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** Columns and their values, in one list per group of rows. */
export interface ColumnLists {
  /** [entries] u32, none twice in a list */
  readonly columns: GPUBuffer;
  /** [entries] f32 */
  readonly values: GPUBuffer;
  /** [lists + 1] u32: list g has the entries from `offsets[g]` to `offsets[g + 1]`. */
  readonly offsets: GPUBuffer;
  /** Entries of the longest list. */
  readonly most: number;
}

/**
 * Records y[t, c] = v (`set`) or y[t, c] += v (`add`) for the columns and values of list groups[t].
 *
 * @param groups [y.rows] u32, each a list or {@linkcode NO_GROUP}; without them every row gets the
 *   first list
 */
export function recordSetColumns(
  gpu: Gpu,
  recorder: Recorder,
  y: Rows,
  operation: "set" | "add",
  { columns, values, offsets, most }: ColumnLists,
  groups?: GPUBufferBinding,
): void {
  const { lanes } = gpu;
  const constants = { OP: operation, LANES: lanes, GROUPED: groups ? 1 : 0 };
  const kernel = gpu.kernel("set_columns", source, constants);
  const count = y.rows * most;
  const bindings = [bindRows(y), columns, values, offsets, ...(groups ? [groups] : [])];
  recorder.dispatchItems(kernel, bindings, [count, y.stride, most], Math.ceil(count / lanes));
}
