/** Tensors by name, read whole, by rows or by columns, whatever format they are stored in. */

import { type Dtype, DTYPE_BYTES } from "./dtype.ts";
import { InputError } from "./input_error.ts";

/** What a format says of one tensor. */
export interface TensorInfo {
  readonly dtype: Dtype;
  /** Sizes from the outermost (rows) to the innermost dimension; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** First byte and one past the last byte, counted from where the format says (the end of a safetensors header). */
  readonly begin: number;
  readonly end: number;
}

/** Tensors that can be read whole or by rows, wherever they lie. */
export interface TensorSource {
  /** Free text of the file; has no prototype, so any key is safe. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Names in the order of the header. */
  names(): string[];
  /** @throws InputError when there is no tensor of that name */
  info(name: string): TensorInfo;
  /**
   * A copy of rows `rowStart` (0) to `rowEnd` (all), half open, of the outermost dimension.
   *
   * @throws InputError when there is no tensor of that name; RangeError for rows that it lacks
   */
  read(name: string, rowStart?: number, rowEnd?: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * A copy of columns `from` to `to`, half open, of a matrix: [rows, to - from], row major. Only they
   * are read.
   *
   * @throws InputError when there is no tensor of that name; RangeError when it is not a matrix or
   *   lacks such columns
   */
  readColumns(name: string, from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Entry `name` of a header.
 *
 * @throws InputError when there is none
 */
export function tensorInfo(
  tensors: ReadonlyMap<string, TensorInfo>,
  name: string,
  where: string,
): TensorInfo {
  const info = tensors.get(name);
  if (info) return info;
  const first = [...tensors.keys()].slice(0, 3).join(", ");
  throw new InputError(
    `${where} has no tensor ${JSON.stringify(name)} among its ${tensors.size} (${first || "none"}` +
      `${tensors.size > 3 ? ", …" : ""}); check that this is the right file for this model.`,
  );
}

/**
 * Bytes of rows `rowStart` to `rowEnd` (half open) of a tensor, counted like `begin` and `end` of
 * its info. A scalar has one row.
 *
 * @throws RangeError when the tensor has no such rows
 */
export function rowRange(
  name: string,
  info: TensorInfo,
  rowStart = 0,
  rowEnd?: number,
): { begin: number; end: number } {
  const rows = info.shape[0] ?? 1;
  const last = rowEnd ?? rows;
  const valid = Number.isInteger(rowStart) && Number.isInteger(last) &&
    0 <= rowStart && rowStart <= last && last <= rows;
  if (!valid) throw new RangeError(`tensor ${name} has ${rows} rows, not ${rowStart}:${last}`);
  const rowBytes = rows === 0 ? 0 : (info.end - info.begin) / rows;
  return { begin: info.begin + rowStart * rowBytes, end: info.begin + last * rowBytes };
}

/** Where columns of a matrix lie: `rows` pieces of `bytes`, `stride` apart. */
export interface ColumnRange {
  readonly rows: number;
  /** First byte of the first piece, counted like `begin` of the matrix. */
  readonly begin: number;
  readonly bytes: number;
  readonly stride: number;
}

/**
 * Where columns `from` to `to` (half open) of a matrix lie.
 *
 * @throws RangeError when the tensor is not a matrix or has no such columns
 */
export function columnRange(
  name: string,
  { dtype, shape, begin }: TensorInfo,
  from: number,
  to: number,
): ColumnRange {
  const [rows, columns] = shape;
  const valid = shape.length === 2 && Number.isInteger(from) && Number.isInteger(to) &&
    0 <= from && from <= to && to <= columns;
  if (!valid) {
    throw new RangeError(`tensor ${name} has shape [${shape}], not columns ${from}:${to}`);
  }
  const width = DTYPE_BYTES[dtype];
  return { rows, begin: begin + from * width, bytes: (to - from) * width, stride: columns * width };
}
