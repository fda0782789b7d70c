/** The linear layer Y = X Wᵀ as a workload. */
import type { Gpu } from "../lib/gpu/device.ts";
import { recordMatMul } from "../lib/gpu/matmul.ts";
import { uploadMatrix } from "../lib/gpu/matrix.ts";
import { allocateRows, readRows, writeRows } from "../lib/gpu/rows.ts";
import { allRows, dot, type MeasuredType, seededMatrix } from "./seeded_matrix.ts";
import { type Workload, WrongResult } from "./workload.ts";

export interface LinearShape {
  readonly tokens: number;
  readonly columns: number;
  readonly outs: number;
}

/** Bytes of the operands and the result, each touched once. */
export function productBytes({ tokens, columns, outs }: LinearShape, type: MeasuredType): number {
  return outs * columns * (type === "f32" ? 4 : 2) + tokens * (columns + outs) * 4;
}

const SAMPLES = 400;

/**
 * A sum of n products of ours has standard deviation 1 / √n, and rounding it n times errs by √n times
 * half a unit of f32 of that: 3e-8 for every n. Ten times as much is wrong.
 */
const TOLERANCE = 3e-7;

/** Puts the operands of a linear layer on the GPU. */
export async function linear(
  gpu: Gpu,
  shape: LinearShape,
  type: MeasuredType,
): Promise<Workload> {
  const { tokens, columns, outs } = shape;
  using stack = new DisposableStack();
  const x = seededMatrix("x", "f32", tokens, columns, 0);
  const w = seededMatrix("w", type, outs, columns, tokens);
  const input = stack.use(allocateRows(gpu, "x", tokens, columns));
  const output = stack.use(allocateRows(gpu, "y", tokens, outs));
  const weights = stack.use(await uploadMatrix(gpu, w));
  writeRows(gpu, input, allRows(x));
  const owned = stack.move();
  return {
    name: `${tokens} × ${columns}→${outs}, ${type}`,
    flops: 2 * tokens * columns * outs,
    task: { task: "linear", ...shape },
    record: (recorder) => recordMatMul(gpu, recorder, input, weights, output),
    check: async () => checkProducts(await readRows(gpu, output), x.row, w.row, shape),
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/**
 * Compares entries spread over the whole of `y` with f64 dot products.
 *
 * @param f what was done to each of them
 * @throws WrongResult
 */
export function checkProducts(
  y: Float32Array,
  xRow: (token: number) => Float32Array,
  wRow: (out: number) => Float32Array,
  { tokens, outs }: LinearShape,
  f: (sum: number) => number = (sum) => sum,
): void {
  const step = Math.max(1, Math.floor(y.length / SAMPLES)) | 1; // Odd: meets every column residue.
  for (let at = 0; at < tokens * outs; at += step) {
    const [token, out] = [Math.floor(at / outs), at % outs];
    const expected = f(dot(xRow(token), wRow(out)));
    if (!(Math.abs(y[at] - expected) <= TOLERANCE)) {
      throw new WrongResult(`Y[${token}, ${out}] is ${y[at]}, expected ${expected}`);
    }
  }
}
