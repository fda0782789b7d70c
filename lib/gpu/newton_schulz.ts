/** What Newton–Schulz iterations need beside products: kernels/newton_schulz.wgsl. */
import source from "../../kernels/newton_schulz.wgsl" with { type: "text" };
import type { Gpu, Kernel } from "./device.ts";
import { eachValueKernel, recordEachValue } from "./each_value.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/**
 * Records norm = √(Σ squares) + 1e-7.
 *
 * @param squares one row: sums of squares of columns
 * @param norm one value
 */
export function recordNorm(gpu: Gpu, recorder: Recorder, squares: Rows, norm: Rows): void {
  const bindings = [bindRows(squares), bindRows(norm)];
  recorder.dispatch(kernelFor(gpu, "norm"), bindings, [squares.stride / 4], [1, 1]);
}

/** Records x = x / norm. */
export function recordDivide(gpu: Gpu, recorder: Recorder, x: Rows, norm: Rows): void {
  recordEachValue(gpu, recorder, kernelFor(gpu, "divide"), [x], [], [bindRows(norm)]);
}

/**
 * Records s = c[0] I + c[1] a + c[2] aa.
 *
 * @param a, aa, s square matrices of one size, each of which fits one binding
 */
export function recordPolynomial(
  gpu: Gpu,
  recorder: Recorder,
  a: Rows,
  aa: Rows,
  s: Rows,
  coefficients: readonly [number, number, number],
): void {
  const params = [a.stride / 4, ...coefficients.map(floatBits)];
  recordEachValue(gpu, recorder, kernelFor(gpu, "polynomial"), [a, aa, s], params);
}

function kernelFor(gpu: Gpu, operation: "norm" | "divide" | "polynomial"): Kernel {
  return eachValueKernel(gpu, "newton_schulz", source, { OP: operation });
}
