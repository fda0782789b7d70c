/**
 * Activations on the GPU: a row-major f32 matrix, one row per token.
 *
 * Rows are padded to a multiple of 64 floats (256 bytes), so that any row can start a binding, a
 * buffer can be copied to a texture as it is, and kernels work in whole vec4s. The padding is zero
 * and stays zero: every kernel maps zero padding to zero padding.
 */
import type { Gpu } from "./device.ts";
import type { Allocated } from "./memory.ts";

/** Floats per row of a matrix with `width` columns. */
export function strideOf(width: number): number {
  return Math.ceil(width / 64) * 64;
}

/** A matrix, or some consecutive rows of one. */
export interface Rows {
  readonly buffer: GPUBuffer;
  /** First byte of the first row. */
  readonly offset: number;
  readonly rows: number;
  readonly width: number;
  /** Floats from one row to the next. */
  readonly stride: number;
}

/** Rows that own their buffer. */
export type OwnedRows = Rows & Disposable;

/** Allocates a zeroed matrix of `rows` × `width` floats. */
export function allocateRows(gpu: Gpu, label: string, rows: number, width: number): OwnedRows {
  const stride = strideOf(width);
  const memory: Allocated<GPUBuffer> = gpu.buffer(label, rows * stride * 4);
  return {
    buffer: memory.resource,
    offset: 0,
    rows,
    width,
    stride,
    [Symbol.dispose]: () => memory[Symbol.dispose](),
  };
}

/** Rows `from` (inclusive) to `to` (exclusive) of a matrix, sharing its memory. */
export function rowsBetween(matrix: Rows, from: number, to: number): Rows {
  const { buffer, width, stride } = matrix;
  return { buffer, offset: matrix.offset + from * stride * 4, rows: to - from, width, stride };
}

/** The binding of exactly these rows. */
export function bindRows(matrix: Rows): GPUBufferBinding {
  const { buffer, offset, rows, stride } = matrix;
  return { buffer, offset, size: rows * stride * 4 };
}

/** Writes host values `[rows, width]` (row-major, unpadded) into a matrix. */
export function writeRows(gpu: Gpu, matrix: Rows, values: Float32Array): void {
  const { rows, width, stride } = matrix;
  if (values.length !== rows * width) {
    throw new RangeError(`${values.length} values for a matrix of ${rows} × ${width}`);
  }
  const padded = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    padded.set(values.subarray(row * width, (row + 1) * width), row * stride);
  }
  gpu.write(matrix.buffer, matrix.offset, padded);
}

/** Reads a matrix back as `[rows, width]` without the padding. */
export async function readRows(gpu: Gpu, matrix: Rows): Promise<Float32Array<ArrayBuffer>> {
  const { rows, width, stride } = matrix;
  const padded = new Float32Array(await gpu.read(matrix.buffer, matrix.offset, rows * stride * 4));
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    values.set(padded.subarray(row * stride, row * stride + width), row * width);
  }
  return values;
}
