/**
 * The header of an .npy file: a magic string, a version, and a Python dict literal that names the
 * element type, the order and the shape. It is read by its grammar, never evaluated.
 *
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3
 */

import { type Dtype, DTYPE_BYTES } from "./dtype.ts";
import { InputError } from "./input_error.ts";

/** Bytes from which the length of a header is known. */
export const NPY_PREFIX_BYTES = 12;
/** Longest header that is read, in bytes; NumPy's own are below 200. */
export const MAX_NPY_HEADER_BYTES = 2 ** 16;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy allows 64 dimensions (32 before version 2). */
const MAX_DIMENSIONS = 64;

/** Element types by NumPy's names; `|` says that a type has no byte order. */
const DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ["<f8", "F64"],
  ["<f4", "F32"],
  ["<f2", "F16"],
  ["<i8", "I64"],
  ["<i4", "I32"],
  ["<i2", "I16"],
  ["|i1", "I8"],
  ["<u8", "U64"],
  ["<u4", "U32"],
  ["<u2", "U16"],
  ["|u1", "U8"],
  ["|b1", "BOOL"],
]);

/** What an .npy file says of its array; the elements follow the header, row major. */
export interface NpyHeader {
  readonly dtype: Dtype;
  /** Sizes from the outermost (rows) to the innermost dimension; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Bytes before the first element. */
  readonly dataStart: number;
  /** Bytes of all elements. */
  readonly dataBytes: number;
}

/**
 * Bytes before the first element, from the first {@link NPY_PREFIX_BYTES} bytes of the file.
 *
 * @param where names the array in messages
 * @throws InputError when this is no .npy file, of an unknown version, or claims a header of more
 *   than {@link MAX_NPY_HEADER_BYTES}
 */
export function npyDataStart(prefix: Uint8Array, where: string): number {
  if (prefix.length < NPY_PREFIX_BYTES || MAGIC.some((byte, i) => prefix[i] !== byte)) {
    throw bad(where, "it does not start as one");
  }
  const [major, minor] = [prefix[6], prefix[7]];
  if (major < 1 || major > 3 || minor !== 0) {
    throw bad(where, `its version is ${major}.${minor}, expected 1.0, 2.0 or 3.0`);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset);
  const [length, before] = major === 1
    ? [view.getUint16(8, true), 10]
    : [view.getUint32(8, true), 12];
  if (length > MAX_NPY_HEADER_BYTES) {
    throw bad(where, `its header claims ${length} bytes, more than ${MAX_NPY_HEADER_BYTES}`);
  }
  return before + length;
}

/**
 * Reads a header.
 *
 * @param prefix the file up to its first element, as {@link npyDataStart} says
 * @param where names the array in messages
 * @throws InputError when the header is not exactly as the format says, or names what is not read:
 *   column-major order, big-endian elements, structured or other element types
 */
export function parseNpyHeader(prefix: Uint8Array, where: string): NpyHeader {
  const dataStart = npyDataStart(prefix, where);
  if (prefix.length < dataStart) throw bad(where, "its header is cut off");
  const textStart = prefix[6] === 1 ? 10 : 12;
  const { descr, fortran, shape } = parseDict(prefix.subarray(textStart, dataStart), where);
  const dtype = DTYPES.get(descr);
  if (dtype === undefined) {
    throw new InputError(
      `${where} has NumPy element type ${JSON.stringify(descr)}, expected one of ` +
        `${[...DTYPES.keys()].join(" ")}; convert it with .astype().`,
    );
  }
  // one dimension (or one element) reads the same in both orders
  if (fortran && shape.filter((size) => size !== 1).length > 1) {
    throw new InputError(
      `${where} is stored in column-major (Fortran) order, expected row-major; save ` +
        `numpy.ascontiguousarray() of it.`,
    );
  }
  let dataBytes: number = DTYPE_BYTES[dtype];
  for (const size of shape) dataBytes *= size;
  if (shape.length > MAX_DIMENSIONS || !Number.isSafeInteger(dataBytes)) {
    throw bad(where, `its shape [${shape}] cannot be`);
  }
  return { dtype, shape, dataStart, dataBytes };
}

/** A type string, `True` or `False`, and a tuple: all that a header's values can be. */
const FIELD =
  /^'(descr|fortran_order|shape)': (?:'([^'\\]{1,64})'|(True|False)|\(([\d, L]*)\))(?:, ?)?/;
const SPACE = 0x20;
const LINE_END = 0x0a;
/** Longest dict that is read: far above what 64 dimensions take. */
const MAX_DICT_BYTES = 4096;

/**
 * The dict literal as NumPy writes it: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`,
 * keys in any order, then spaces and a line end.
 */
function parseDict(
  bytes: Uint8Array,
  where: string,
): { descr: string; fortran: boolean; shape: number[] } {
  const length = bytes.findLastIndex((byte) => byte !== SPACE && byte !== LINE_END) + 1;
  if (length > MAX_DICT_BYTES) throw bad(where, "its header is too long");
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, length));
  const values = new Map<string, string>();
  let rest = text.startsWith("{") ? text.slice(1) : "";
  for (let field; (field = FIELD.exec(rest)) !== null;) {
    const [whole, key, type, flag, sizes] = field;
    const value = { descr: type, fortran_order: flag, shape: sizes }[key];
    if (value === undefined || values.has(key)) break;
    values.set(key, value);
    rest = rest.slice(whole.length);
  }
  const [descr, fortran, shape] = ["descr", "fortran_order", "shape"].map((key) => values.get(key));
  if (rest !== "}" || descr === undefined || fortran === undefined || shape === undefined) {
    throw bad(where, `its header ${JSON.stringify(text.slice(0, 100))} cannot be read`);
  }
  return { descr, fortran: fortran === "True", shape: parseShape(shape, where) };
}

/** `2, 3` → [2, 3]; `5,` → [5]; nothing → []. A size without any comma is a number, no tuple. */
function parseShape(text: string, where: string): number[] {
  if (text === "") return [];
  const parts = text.split(",");
  if (parts.at(-1) === "") parts.pop();
  else if (parts.length === 1) throw bad(where, `its shape (${text}) is no tuple`);
  return parts.map((part) => {
    const [, digits] = /^ ?(\d{1,16})L?$/.exec(part) ?? [];
    if (digits === undefined) throw bad(where, `its shape (${text}) cannot be read`);
    return Number(digits);
  });
}

function bad(where: string, what: string): InputError {
  return new InputError(`${where} is not a valid NumPy array: ${what}; fetch it again.`);
}
