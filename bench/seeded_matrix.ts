/** Random operands of any size, each row made when it is needed: a gigabyte is never held twice. */
import { floatToBf16Bits, toFloat32 } from "../lib/formats/dtype.ts";
import type { MatrixSource } from "../lib/gpu/matrix.ts";

/** Storage types that are measured. */
export type MeasuredType = "f32" | "bf16";

/** A random matrix that can be uploaded and, row by row, recomputed for checks. */
export interface SeededMatrix extends MatrixSource {
  readonly type: MeasuredType;
  /** Row `row` as the f32 values that its stored bytes stand for. */
  row(row: number): Float32Array<ArrayBuffer>;
}

/** A matrix of uniform values of variance 1 / columns, the same for the same seed. */
export function seededMatrix(
  name: string,
  type: MeasuredType,
  rows: number,
  columns: number,
  seed: number,
): SeededMatrix {
  const width = type === "f32" ? 4 : 2;
  const exact = (row: number) => uniformRow(columns, seed + row);
  const stored = (row: number) => {
    const values = exact(row);
    return new Uint8Array(type === "f32" ? values.buffer : floatToBf16Bits(values).buffer);
  };
  return {
    name,
    type,
    rows,
    columns,
    row: (row) => toFloat32(stored(row), type === "f32" ? "F32" : "BF16"),
    read: (from, to) => {
      const bytes = new Uint8Array((to - from) * columns * width);
      for (let row = from; row < to; row++) bytes.set(stored(row), (row - from) * columns * width);
      return Promise.resolve(bytes);
    },
  };
}

/** All rows of a matrix as `[rows, columns]` f32. */
export function allRows(matrix: SeededMatrix): Float32Array<ArrayBuffer> {
  const { rows, columns } = matrix;
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) values.set(matrix.row(row), row * columns);
  return values;
}

/** Uniform values of variance 1 / columns, by xorshift32 (Marsaglia 2003). */
function uniformRow(columns: number, seed: number): Float32Array<ArrayBuffer> {
  const scale = Math.sqrt(12 / columns) / 2 ** 32;
  const values = new Float32Array(columns);
  let state = scramble(seed + 1) | 1;
  for (let i = 0; i < columns; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state * scale;
  }
  return values;
}

/** Spreads neighbouring seeds (the finaliser of MurmurHash3): xorshift alone keeps them alike. */
function scramble(seed: number): number {
  let hash = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Dot product in f64. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
