/**
 * safetensors: an 8-byte little-endian header length, a JSON header, then the tensors' bytes, row
 * major. The reader is strict: what the header promises must be exactly what the file holds, so a
 * truncated or forged file is refused before any of its bytes are used.
 *
 * Format: https://github.com/huggingface/safetensors#format
 */

import { type ByteSource, memorySource } from "./byte_source.ts";
import { type Dtype, DTYPE_BYTES, isDtype } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import {
  columnRange,
  rowRange,
  type TensorInfo,
  tensorInfo,
  type TensorSource,
} from "./tensor_source.ts";

/** Largest JSON header that is read, in bytes: the reference implementation's limit. */
export const MAX_HEADER_BYTES = 100_000_000;
/** Largest number of tensors that is read. */
export const MAX_TENSORS = 1_000_000;

const LENGTH_BYTES = 8;
const METADATA_KEY = "__metadata__";

/** A checked header. */
export interface SafetensorsHeader {
  /** Free text of the file; has no prototype, so any key is safe. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Bytes before the first tensor byte. */
  readonly dataStart: number;
}

/** A tensor to be written; `data` holds its elements, little endian and row major. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/**
 * Length of the JSON header, from the first 8 bytes of the file.
 *
 * @param totalSize length of the whole file in bytes
 * @param where names the file in messages
 * @throws InputError when the file is too short or the length cannot be true
 */
export function headerLength(prefix: Uint8Array, totalSize: number, where: string): number {
  if (totalSize < LENGTH_BYTES || prefix.length < LENGTH_BYTES) {
    throw bad(where, `it is ${totalSize} bytes long, too short to hold a header`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw bad(where, `its header claims ${length} bytes, more than ${MAX_HEADER_BYTES}`);
  }
  if (Number(length) > totalSize - LENGTH_BYTES) {
    throw truncated(where, LENGTH_BYTES + Number(length), totalSize);
  }
  return Number(length);
}

/**
 * Reads and checks a header.
 *
 * @param prefix the file's first bytes, at least the 8 bytes of the length and the JSON after them
 * @param totalSize length of the whole file in bytes
 * @param where names the file in messages
 * @throws InputError when anything in the header is not exactly as the format says
 */
export function parseHeader(
  prefix: Uint8Array,
  totalSize: number,
  where: string,
): SafetensorsHeader {
  const dataStart = LENGTH_BYTES + headerLength(prefix, totalSize, where);
  const entries = parseJsonObject(prefix.subarray(LENGTH_BYTES, dataStart), where);
  const metadata = parseMetadata(entries.get(METADATA_KEY), where);
  entries.delete(METADATA_KEY);
  if (entries.size > MAX_TENSORS) {
    throw bad(where, `it names ${entries.size} tensors, more than ${MAX_TENSORS}`);
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, value] of entries) tensors.set(name, parseTensorInfo(name, value, where));
  checkCoverage(tensors, totalSize - dataStart, where);
  return { metadata, tensors, dataStart };
}

/**
 * The tensors of a safetensors file held in memory.
 *
 * @throws InputError when the file is not valid
 */
export function fromBytes(bytes: Uint8Array<ArrayBuffer>, where: string): TensorSource {
  const header = parseHeader(bytes, bytes.length, where);
  return new StoredTensors(memorySource(bytes), header, where);
}

/**
 * The tensors of a safetensors file, read by ranges when they are asked for.
 *
 * @throws InputError when the file is not valid
 */
export async function openSafetensors(source: ByteSource, where: string): Promise<TensorSource> {
  const { size } = source;
  const prefix = await source.read(0, Math.min(LENGTH_BYTES, size));
  const length = headerLength(prefix, size, where);
  const header = parseHeader(await source.read(0, LENGTH_BYTES + length), size, where);
  return new StoredTensors(source, header, where);
}

/** Tensors where the header says they are. */
class StoredTensors implements TensorSource {
  readonly metadata: SafetensorsHeader["metadata"];

  constructor(
    readonly source: ByteSource,
    readonly header: SafetensorsHeader,
    readonly where: string,
  ) {
    this.metadata = header.metadata;
  }

  names() {
    return [...this.header.tensors.keys()];
  }

  info(name: string) {
    return tensorInfo(this.header.tensors, name, this.where);
  }

  async read(name: string, rowStart?: number, rowEnd?: number) {
    const { begin, end } = rowRange(name, this.info(name), rowStart, rowEnd);
    const { dataStart } = this.header;
    return await this.source.read(dataStart + begin, dataStart + end);
  }

  async readColumns(name: string, from: number, to: number) {
    const { rows, begin, bytes, stride } = columnRange(name, this.info(name), from, to);
    const start = this.header.dataStart + begin;
    const block = new Uint8Array(rows * bytes);
    for (let row = 0; row < rows; row++) {
      const at = start + row * stride;
      block.set(await this.source.read(at, at + bytes), row * bytes);
    }
    return block;
  }
}

/**
 * A safetensors file of these tensors, in the order given; the same input gives the same bytes. The
 * header is padded with spaces so that the tensors start at a multiple of 8 bytes.
 *
 * @throws RangeError when the data of a tensor is not as long as its shape and type say
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header = encodeSafetensorsHeader(tensors, metadata);
  let at = header.length;
  const size = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, at);
  const bytes = new Uint8Array(size);
  bytes.set(header);
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (byteSize(dtype, shape) !== data.byteLength) {
      throw new RangeError(`${name}: ${data.byteLength} bytes are not ${dtype} [${shape}]`);
    }
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** All of a safetensors file that comes before the data of its tensors, which follow in this order. */
export function encodeSafetensorsHeader(
  tensors: Readonly<Record<string, Pick<Tensor, "dtype" | "shape">>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const fields = [jsonField(METADATA_KEY, metadata)];
  let end = 0;
  for (const [name, { dtype, shape }] of Object.entries(tensors)) {
    const begin = end;
    end += byteSize(dtype, shape);
    fields.push(jsonField(name, { dtype, shape, data_offsets: [begin, end] }));
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const dataStart = Math.ceil((LENGTH_BYTES + header.length) / 8) * 8;
  const bytes = new Uint8Array(dataStart).fill(0x20, LENGTH_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - LENGTH_BYTES), true);
  bytes.set(header, LENGTH_BYTES);
  return bytes;
}

function jsonField(key: string, value: unknown): string {
  return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
}

/** The header's top level as a map: a plain object would give `__proto__` a meaning. */
function parseJsonObject(json: Uint8Array, where: string): Map<string, unknown> {
  if (json[0] !== 0x7b) throw bad(where, "its header does not start with {");
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
    value = JSON.parse(text);
  } catch {
    throw bad(where, "its header is not JSON in UTF-8");
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) {
    throw bad(where, `its header names ${JSON.stringify(repeated)} twice`);
  }
  return new Map(Object.entries(value as object));
}

/**
 * First key that an object of this (valid) JSON holds twice: JSON.parse would drop one silently.
 * A plain loop: a regular expression for strings overflows its stack on a long one.
 */
function repeatedKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const start = at;
      at = closingQuote(json, start);
      if (!isFollowedByColon(json, at)) continue;
      const key: string = JSON.parse(json.slice(start, at + 1));
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
}

function closingQuote(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}

function isFollowedByColon(json: string, quote: number): boolean {
  let at = quote + 1;
  while (/\s/.test(json[at])) at++;
  return json[at] === ":";
}

function parseMetadata(value: unknown, where: string): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  if (value === undefined) return metadata;
  if (!isPlainObject(value)) throw bad(where, `${METADATA_KEY} is not an object of strings`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw bad(where, `${METADATA_KEY}.${key} is not a string`);
    metadata[key] = text;
  }
  return metadata;
}

function parseTensorInfo(name: string, value: unknown, where: string): TensorInfo {
  const tensor = `tensor ${JSON.stringify(name)}`;
  if (!isPlainObject(value)) throw bad(where, `${tensor} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (!isDtype(dtype)) {
    // only a text is repeated: a value may be nested deeper than it can be written again
    const found = typeof dtype === "string" ? JSON.stringify(dtype) : typeof dtype;
    throw bad(where, `${tensor} has the unknown element type ${found}`);
  }
  if (!isSizes(shape)) throw bad(where, `${tensor} has no valid shape`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw bad(where, `${tensor} has no valid data_offsets`);
  }
  const [begin, end] = offsets;
  const size = byteSize(dtype, shape);
  if (size !== end - begin) {
    throw bad(where, `${tensor} takes ${end - begin} bytes, but ${dtype} [${shape}] is ${size}`);
  }
  return { dtype, shape, begin, end };
}

/** Tensors must tile the data: no hole, no overlap, nothing before the first or after the last. */
function checkCoverage(tensors: Map<string, TensorInfo>, dataBytes: number, where: string): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const [name, { begin, end }] of ordered) {
    if (begin !== at) {
      const fault = begin < at ? "overlaps the tensor before it" : "leaves a hole before it";
      throw bad(where, `tensor ${JSON.stringify(name)} ${fault}`);
    }
    at = end;
  }
  if (at > dataBytes) throw truncated(where, at, dataBytes, " of tensors");
  if (at < dataBytes) throw bad(where, `${dataBytes - at} bytes follow its last tensor`);
}

/** Bytes of a tensor; NaN when the product is past what a number holds exactly. */
function byteSize(dtype: Dtype, shape: readonly number[]): number {
  let size: number = DTYPE_BYTES[dtype];
  for (const n of shape) {
    size *= n;
    if (!Number.isSafeInteger(size)) return NaN;
  }
  return size;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bad(where: string, what: string): InputError {
  return new InputError(`${where} is not a valid safetensors file: ${what}; fetch it again.`);
}

function truncated(where: string, expected: number, found: number, of = ""): InputError {
  return new InputError(
    `${where} is truncated: its header promises ${expected} bytes${of}, the file holds ${found}; ` +
      `fetch it again.`,
  );
}
