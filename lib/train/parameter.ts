/** Tensors that are trained: the contract between a coder, which fills gradients, and its optimizer. */
import type { Rows } from "../gpu/rows.ts";

/** Names of a coder's tensors, as sparsify's files have them (spec train-and-interpret A.1). */
export type ParameterName = "encoder.weight" | "encoder.bias" | "W_dec" | "b_dec" | "W_skip";

/**
 * A tensor on the GPU in f32, row-major with padded rows (vectors are one row). Padding is zero in
 * values and gradient alike, and stays so: an update of zero by a gradient of zero.
 */
export interface Parameter {
  readonly name: ParameterName;
  readonly values: Rows;
  /** The gradient summed over the micro-batches of this step, shaped as `values`. */
  readonly gradient: Rows;
}
