/**
 * The values of a GGUF header: integers, floats, strings and arrays, little endian, read in pieces.
 * Nothing is allocated before the file is known to be long enough to hold it.
 *
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

import type { ByteSource } from "./byte_source.ts";
import { InputError } from "./input_error.ts";

/** A metadata value; 64-bit integers are numbers where a number holds them exactly. */
export type GgufValue = number | bigint | boolean | string | GgufArray;

/** An array of one element type. */
export type GgufArray =
  | NumericArray
  | readonly boolean[]
  | readonly string[]
  | readonly GgufArray[];

type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** Most bytes that a header is read to: those of the largest vocabularies take some 16 MiB. */
export const MAX_HEADER_BYTES = 1 << 26;
/** Most strings, booleans and arrays in arrays, all together: each costs far more than its bytes. */
const MAX_ELEMENTS = 1 << 22;
/** Longest metadata key and tensor name; known ones take at most 64. */
const MAX_NAME_BYTES = 256;
/** Deepest nesting of arrays; known files have none. */
const MAX_DEPTH = 4;

const PIECE_BYTES = 1 << 18;

const BOOL = 7;
const STRING = 8;
const ARRAY = 9;

/** Element types by their number in the file: bytes, one value, and an array of them. */
const NUMBERS: ReadonlyMap<number, NumberType> = new Map<number, NumberType>([
  [0, { bytes: 1, one: (view) => view.getUint8(0), many: (b) => new Uint8Array(b) }],
  [1, { bytes: 1, one: (view) => view.getInt8(0), many: (b) => new Int8Array(b) }],
  [2, { bytes: 2, one: (view) => view.getUint16(0, true), many: (b) => new Uint16Array(b) }],
  [3, { bytes: 2, one: (view) => view.getInt16(0, true), many: (b) => new Int16Array(b) }],
  [4, { bytes: 4, one: (view) => view.getUint32(0, true), many: (b) => new Uint32Array(b) }],
  [5, { bytes: 4, one: (view) => view.getInt32(0, true), many: (b) => new Int32Array(b) }],
  [6, { bytes: 4, one: (view) => view.getFloat32(0, true), many: (b) => new Float32Array(b) }],
  [10, {
    bytes: 8,
    one: (v) => exact(v.getBigUint64(0, true)),
    many: (b) => new BigUint64Array(b),
  }],
  [11, { bytes: 8, one: (v) => exact(v.getBigInt64(0, true)), many: (b) => new BigInt64Array(b) }],
  [12, { bytes: 8, one: (view) => view.getFloat64(0, true), many: (b) => new Float64Array(b) }],
]);

interface NumberType {
  readonly bytes: number;
  one(view: DataView): number | bigint;
  many(bytes: ArrayBuffer): NumericArray;
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Reads values one after the other; every failure is a sentence that names the file. */
export class GgufCursor {
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array();
  /** Where the piece begins in the file, and where the cursor stands in the piece. */
  #pieceStart = 0;
  #at = 0;
  #elements = 0;

  /** @param where names the file in messages */
  constructor(readonly source: ByteSource, readonly where: string) {}

  /** Bytes read so far. */
  get position(): number {
    return this.#pieceStart + this.#at;
  }

  /** Bytes of the file that are left. */
  get left(): number {
    return this.source.size - this.position;
  }

  /**
   * The next `count` bytes; valid until the next read.
   *
   * @param what they are, for messages
   * @throws InputError when the file or a header of a sane size has fewer
   */
  async bytes(count: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
    if (count > this.left) {
      throw this.bad(
        `${what} takes ${count} bytes at byte ${this.position}, but ${this.left} follow`,
      );
    }
    if (this.position + count > MAX_HEADER_BYTES) {
      throw this.bad(`its header goes past ${MAX_HEADER_BYTES} bytes`);
    }
    if (this.#at + count > this.#piece.length) {
      const start = this.position;
      const end = Math.min(this.source.size, start + Math.max(count, PIECE_BYTES));
      this.#piece = await this.source.read(start, end);
      this.#pieceStart = start;
      this.#at = 0;
    }
    this.#at += count;
    return this.#piece.subarray(this.#at - count, this.#at);
  }

  /** A u32. */
  async u32(what: string): Promise<number> {
    return viewOf(await this.bytes(4, what)).getUint32(0, true);
  }

  /**
   * A u64 that counts or places something, so it can be no more than the file has bytes.
   *
   * @param each bytes that each of the things counted takes at least
   */
  async count(what: string, each = 1): Promise<number> {
    const value = viewOf(await this.bytes(8, what)).getBigUint64(0, true);
    if (value > BigInt(Math.floor(this.source.size / each))) {
      throw this.bad(`${what} is ${value}, more than its ${this.source.size} bytes can hold`);
    }
    return Number(value);
  }

  /** Size of a dimension: a u64 from 1 to what 31 bits hold. */
  async dimension(what: string): Promise<number> {
    const size = viewOf(await this.bytes(8, what)).getBigUint64(0, true);
    if (size >= 1n && size < 1n << 31n) return Number(size);
    throw this.bad(`${what} is ${size}, expected 1 to ${2 ** 31 - 1}`);
  }

  /** A name of up to {@linkcode MAX_NAME_BYTES}, short enough for messages. */
  async name(what: string): Promise<string> {
    return await this.string(what, MAX_NAME_BYTES);
  }

  /** A string: u64 length, then UTF-8. */
  async string(what: string, most = MAX_HEADER_BYTES): Promise<string> {
    const length = await this.count(`the length of ${what}`);
    if (length > most) throw this.bad(`${what} takes ${length} bytes, more than ${most}`);
    const bytes = await this.bytes(length, what);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw this.bad(`${what} is not UTF-8`);
    }
  }

  /** A metadata value: its type, then itself. */
  async value(what: string): Promise<GgufValue> {
    const type = await this.u32(`the type of ${what}`);
    if (type === ARRAY) return this.#array(what, 1);
    if (type === STRING) return this.string(what);
    if (type === BOOL) return booleanOf((await this.bytes(1, what))[0]);
    const number = this.#numberType(type, what);
    return number.one(viewOf(await this.bytes(number.bytes, what)));
  }

  /** An array: element type, u64 count, then the elements without a type each. */
  async #array(what: string, depth: number): Promise<GgufArray> {
    if (depth > MAX_DEPTH) throw this.bad(`${what} nests arrays more than ${MAX_DEPTH} deep`);
    const type = await this.u32(`the element type of ${what}`);
    const counted = `the element count of ${what}`;
    if (type === STRING) {
      return this.#list(await this.count(counted, 8), () => this.string(`an element of ${what}`));
    }
    if (type === ARRAY) {
      return this.#list(await this.count(counted, 12), () => this.#array(what, depth + 1));
    }
    if (type === BOOL) {
      const count = this.#take(await this.count(counted));
      return Array.from(await this.bytes(count, what), booleanOf);
    }
    const { bytes, many } = this.#numberType(type, what);
    const count = await this.count(counted, bytes);
    return many((await this.bytes(count * bytes, what)).slice().buffer);
  }

  async #list<T>(count: number, read: () => Promise<T>): Promise<T[]> {
    const list: T[] = [];
    for (let i = this.#take(count); i > 0; i--) list.push(await read());
    return list;
  }

  /** Counts elements that take more memory than they take bytes. */
  #take(count: number): number {
    this.#elements += count;
    if (this.#elements <= MAX_ELEMENTS) return count;
    throw this.bad(`its arrays hold more than ${MAX_ELEMENTS} strings, booleans and arrays`);
  }

  #numberType(type: number, what: string): NumberType {
    const known = NUMBERS.get(type);
    if (known) return known;
    throw this.bad(`${what} has the unknown value type ${type}`);
  }

  /** The error of a file that is not what it should be. */
  bad(what: string): InputError {
    return new InputError(`${this.where} is not a valid GGUF file: ${what}; fetch it again.`);
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function booleanOf(byte: number): boolean {
  return byte !== 0;
}
