/**
 * GGUF, versions 2 and 3, little endian: metadata, a list of tensors, then their bytes. The reader is
 * strict: every count, length and offset is checked against the file before it is used.
 *
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

import type { ByteSource } from "./byte_source.ts";
import { dequantize, GGML_TYPES, type GgmlType, READABLE_TYPES } from "./dequantize.ts";
import { DTYPE_BYTES } from "./dtype.ts";
import { GgufCursor, type GgufValue } from "./gguf_values.ts";
import { InputError } from "./input_error.ts";
import type { TensorInfo, TensorSource } from "./tensor_source.ts";
import { tensorInfo } from "./tensor_source.ts";

/** Most metadata entries, and most tensors, that are read; known files have hundreds. */
const MAX_ENTRIES = 1 << 16;
/** Most dimensions of a tensor (GGML_MAX_DIMS). */
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 1 << 20;
/** Fewest bytes of an entry: key length, value type, value; and name length, dimensions, type, offset. */
const LEAST_METADATA_BYTES = 13;
const LEAST_TENSOR_BYTES = 24;

/** A tensor of the file. */
export interface GgufTensor extends TensorInfo {
  readonly type: GgmlType;
}

/** A checked header. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Shapes are row-major, outermost dimension first: the reverse of the file's `ne`. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Bytes before the first tensor byte. */
  readonly dataStart: number;
}

/**
 * Reads and checks the header, piece by piece.
 *
 * @param where names the file in messages
 * @throws InputError when anything in it is not as the format says, or a tensor's type is not read
 */
export async function parseGguf(source: ByteSource, where: string): Promise<GgufHeader> {
  const cursor = new GgufCursor(source, where);
  await checkVersion(cursor);
  const tensorCount = await entryCount(cursor, "its tensor count", LEAST_TENSOR_BYTES);
  const metadataCount = await entryCount(cursor, "its metadata count", LEAST_METADATA_BYTES);
  const metadata = await readMetadata(cursor, metadataCount);
  const alignment = alignmentOf(metadata, cursor);
  const tensors = await readTensors(cursor, tensorCount, alignment);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  checkExtents(tensors, source.size - dataStart, cursor);
  return { metadata, tensors, dataStart };
}

/**
 * The tensors of a GGUF file under its own names, dequantised where they are read. `begin` and `end`
 * of their infos are the stored bytes.
 *
 * @param where names the file in messages
 */
export function ggufTensors(source: ByteSource, header: GgufHeader, where: string): TensorSource {
  return new GgufTensors(source, header, where);
}

class GgufTensors implements TensorSource {
  readonly metadata = Object.create(null) as Record<string, string>;

  constructor(
    readonly source: ByteSource,
    readonly header: GgufHeader,
    readonly where: string,
  ) {}

  names() {
    return [...this.header.tensors.keys()];
  }

  info(name: string): GgufTensor {
    return tensorInfo(this.header.tensors, name, this.where) as GgufTensor;
  }

  async read(name: string, rowStart = 0, rowEnd?: number) {
    const { type, shape, begin } = this.info(name);
    const last = rowEnd ?? shape[0];
    checkRange(`tensor ${name} has ${shape[0]} rows`, rowStart, last, shape[0]);
    // each element of a vector is a row, though they share blocks
    const row = shape.slice(1).reduce((product, size) => product * size, 1);
    return await this.#elements(type, begin, rowStart * row, last * row);
  }

  async readColumns(name: string, from: number, to: number) {
    const { type, shape, begin } = this.info(name);
    const [rows, columns] = shape;
    if (shape.length !== 2) throw new RangeError(`tensor ${name} has shape [${shape}], no columns`);
    checkRange(`tensor ${name} has ${columns} columns`, from, to, columns);
    const rowBytes = (to - from) * DTYPE_BYTES[type.dtype];
    const block = new Uint8Array(rows * rowBytes);
    for (let row = 0; row < rows; row++) {
      const first = row * columns;
      block.set(await this.#elements(type, begin, first + from, first + to), row * rowBytes);
    }
    return block;
  }

  /** Elements `from` to `to`, half open, of the tensor that begins at `begin`; reads whole blocks. */
  async #elements(type: GgmlType, begin: number, from: number, to: number) {
    const { blockElements, blockBytes, dtype } = type;
    const first = Math.floor(from / blockElements);
    const last = Math.ceil(to / blockElements);
    const start = this.header.dataStart + begin;
    const blocks = await this.source.read(start + first * blockBytes, start + last * blockBytes);
    const bytes = dequantize(blocks, type);
    const width = DTYPE_BYTES[dtype];
    const [skipped, taken] = [from - first * blockElements, to - first * blockElements];
    return skipped === 0 && taken * width === bytes.length
      ? bytes
      : bytes.slice(skipped * width, taken * width);
  }
}

function checkRange(has: string, from: number, to: number, size: number): void {
  const valid = Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to &&
    to <= size;
  if (!valid) throw new RangeError(`${has}, not ${from}:${to}`);
}

async function checkVersion(cursor: GgufCursor): Promise<void> {
  const { where, source } = cursor;
  if (source.size < 24) throw cursor.bad(`it is ${source.size} bytes long, too short for a header`);
  const magic = new TextDecoder("latin1").decode(await cursor.bytes(4, "its first word"));
  if (magic !== "GGUF") throw cursor.bad(`it begins with ${JSON.stringify(magic)}, not "GGUF"`);
  const version = await cursor.u32("its version");
  if (version === 2 || version === 3) return;
  const bigEndian = version === 0x02000000 || version === 0x03000000;
  throw new InputError(
    bigEndian
      ? `${where} is a GGUF file in big-endian byte order, but only little-endian ones are supported: ` +
        `fetch that one.`
      : `${where} is a GGUF file of version ${version}, but only 2 and 3 are supported: convert the ` +
        `model again with a current llama.cpp.`,
  );
}

async function entryCount(cursor: GgufCursor, what: string, each: number): Promise<number> {
  const count = await cursor.count(what, each);
  if (count > MAX_ENTRIES) throw cursor.bad(`${what} is ${count}, more than ${MAX_ENTRIES}`);
  return count;
}

async function readMetadata(cursor: GgufCursor, count: number): Promise<Map<string, GgufValue>> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = await cursor.name(`metadata key ${i}`);
    if (metadata.has(key)) throw cursor.bad(`its metadata names ${JSON.stringify(key)} twice`);
    metadata.set(key, await cursor.value(`metadata ${JSON.stringify(key)}`));
  }
  return metadata;
}

function alignmentOf(metadata: Map<string, GgufValue>, cursor: GgufCursor): number {
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  const powerOfTwo = typeof alignment === "number" && Number.isInteger(Math.log2(alignment));
  if (powerOfTwo && alignment >= 1 && alignment <= MAX_ALIGNMENT) return alignment;
  throw cursor.bad(`general.alignment is not a power of two up to ${MAX_ALIGNMENT}`);
}

async function readTensors(
  cursor: GgufCursor,
  count: number,
  alignment: number,
): Promise<Map<string, GgufTensor>> {
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < count; i++) {
    const name = await cursor.name(`the name of tensor ${i}`);
    if (tensors.has(name)) throw cursor.bad(`it holds tensor ${JSON.stringify(name)} twice`);
    tensors.set(name, await readTensor(cursor, `tensor ${JSON.stringify(name)}`, alignment));
  }
  return tensors;
}

async function readTensor(
  cursor: GgufCursor,
  what: string,
  alignment: number,
): Promise<GgufTensor> {
  const dimensions = await cursor.u32(`the dimension count of ${what}`);
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw cursor.bad(`${what} has ${dimensions} dimensions, expected 1 to ${MAX_DIMENSIONS}`);
  }
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) {
    shape.unshift(await cursor.dimension(`a dimension of ${what}`));
  }
  const type = typeOf(await cursor.u32(`the type of ${what}`), what, cursor.where);
  const begin = await cursor.count(`the offset of ${what}`);
  if (begin % alignment !== 0) {
    throw cursor.bad(`${what} begins at ${begin}, not at a multiple of ${alignment}`);
  }
  const bytes = storedBytes(shape, type);
  if (bytes === undefined) {
    throw cursor.bad(`${what} of shape [${shape}] cannot be stored as ${type.name}`);
  }
  return { dtype: type.dtype, shape, begin, end: begin + bytes, type };
}

function typeOf(number: number, what: string, where: string): GgmlType {
  const type = GGML_TYPES.get(number);
  if (type) return type;
  throw new InputError(
    `${where}: ${what} is stored in ggml type ${number}, but only ${READABLE_TYPES} are supported: ` +
      `take a file of one of these.`,
  );
}

/** Bytes of a tensor; undefined when its rows are not whole blocks or no file could hold it. */
function storedBytes(
  shape: readonly number[],
  { blockElements, blockBytes }: GgmlType,
): number | undefined {
  const columns = shape[shape.length - 1];
  if (columns % blockElements !== 0) return undefined;
  let bytes = columns / blockElements * blockBytes;
  for (const size of shape.slice(0, -1)) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return bytes;
}

/** Tensors must lie within the file and not share bytes. */
function checkExtents(
  tensors: ReadonlyMap<string, GgufTensor>,
  dataBytes: number,
  cursor: GgufCursor,
): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.begin - b.begin);
  let at = 0;
  for (const [name, { begin, end }] of ordered) {
    const tensor = `tensor ${JSON.stringify(name)}`;
    if (begin < at) throw cursor.bad(`${tensor} overlaps the tensor before it`);
    if (end > dataBytes) {
      throw cursor.bad(
        `${tensor} takes bytes ${begin} to ${end} of the data, but the file holds ${
          Math.max(0, dataBytes)
        }`,
      );
    }
    at = end;
  }
}
