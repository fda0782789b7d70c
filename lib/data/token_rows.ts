/** Rows of token ids in files, each of which is read when it is asked for. */

import { basename, join } from "node:path";
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import type { FileHasher } from "./file_hashes.ts";
import { readJson } from "./files.ts";
import { isLanguage, languageOf } from "./languages.ts";
import { openFileSource } from "./file_source.ts";
import { openSafetensorsFile } from "./safetensors_files.ts";
import { INPUT_IDS } from "./token_lists.ts";

/** Rows of token ids, all of one length. */
export interface TokenRows extends Disposable {
  readonly rows: number;
  /** Tokens of a row. */
  readonly contextLength: number;
  /** Consecutive rows of one language each; undefined where languages are not told apart. */
  readonly parts: readonly { readonly language: string | undefined; readonly rows: number }[];
  /** Tokens at the ends of files that fill no row. */
  readonly leftOver: number;
  /** SHA-256 of each file by its name; the same hashes and context length mean the same rows. */
  readonly sha256: Readonly<Record<string, string>>;
  /** Token ids of these rows: [rows.length, contextLength]. */
  read(rows: ArrayLike<number>): Promise<Uint32Array<ArrayBuffer>>;
}

/** The index of a folder that `pretokenize` wrote. */
export const TOKEN_INDEX = "pretokenized.json";
/** What the index says of its form. */
export const TOKEN_INDEX_FORMAT = "babelscope token rows 1";

/** Element types of token ids, and their bytes. */
const ID_BYTES = { U16: 2, I32: 4, U32: 4, I64: 8 } as const;
/** Element type of token ids in a file. */
export type IdType = keyof typeof ID_BYTES;

/** The index of pretokenised rows, as far as reading them needs it. */
export const TokenIndex = z.object({
  format: z.literal(TOKEN_INDEX_FORMAT),
  /** SHA-256 of all that decides the rows. */
  identity: z.string(),
  context_length: z.int().positive(),
  rows: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  texts: z.int().nonnegative(),
  left_over_tokens: z.int().nonnegative(),
  dropped_tokens: z.int().nonnegative(),
  shards: z.array(z.object({
    file: z.string().regex(/^[\w.-]+$/),
    language: z.string().nullable(),
    rows: z.int().positive(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  })),
});

/**
 * Raw token ids: 16 bits each, little endian, rows of `contextLength` one after the other.
 *
 * @throws InputError when the file cannot be read, or does not hold whole rows
 */
export async function openTokenBin(
  path: string,
  contextLength: number,
  hasher: FileHasher,
): Promise<TokenRows> {
  using source = await openFileSource(path);
  const rowBytes = 2 * contextLength;
  if (source.size === 0 || source.size % rowBytes !== 0) {
    throw new InputError(
      `${path} has ${source.size} bytes, expected whole rows of ${contextLength} token ids of 2 bytes; ` +
        `give the length that it was written with as --ctx-len.`,
    );
  }
  const rows = source.size / rowBytes;
  const open = async () => {
    const file = await openFileSource(path);
    return {
      read: (row: number) => file.read(row * rowBytes, (row + 1) * rowBytes),
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  };
  const sha256 = { [basename(path)]: await hasher.sha256(path) };
  return new StoredRows(contextLength, [{ rows, language: undefined, type: "U16", open }], sha256);
}

/**
 * Token ids of a safetensors file: matrices `input_ids` as they are, else every vector cut into rows
 * of `contextLength`; a vector whose name is a language is that language's.
 *
 * @throws InputError when the file cannot be read, or holds no token ids
 */
export async function openTokenTensors(
  path: string,
  contextLength: number,
  hasher: FileHasher,
): Promise<TokenRows> {
  const sha256 = { [basename(path)]: await hasher.sha256(path) };
  using tensors = await openSafetensorsFile(path);
  if (tensors.names().includes(INPUT_IDS)) {
    const { segment, length } = await matrixSegment(path);
    return new StoredRows(length, [segment], sha256);
  }
  let leftOver = 0;
  const segments = tensors.names().map((name): Segment => {
    const { dtype, shape } = tensors.info(name);
    if (shape.length !== 1 || !isIdType(dtype)) throw noIds(path, name, dtype, shape);
    leftOver += shape[0] % contextLength;
    const language = isLanguage(name) ? languageOf(name).name : name;
    const rows = Math.floor(shape[0] / contextLength);
    return { rows, language, type: dtype, open: () => rowsIn(path, name, contextLength) };
  });
  const filled = segments.filter(({ rows }) => rows > 0);
  if (filled.length > 0) return new StoredRows(contextLength, filled, sha256, leftOver);
  throw new InputError(
    `${path} has no vector of ${contextLength} token ids or more; lower --ctx-len.`,
  );
}

/**
 * A folder that `pretokenize` wrote.
 *
 * @throws InputError when it is not whole, or a file of it was changed
 */
export async function openTokenFolder(folder: string, hasher: FileHasher): Promise<TokenRows> {
  const where = join(folder, TOKEN_INDEX);
  const parsed = TokenIndex.safeParse(await readJson(where));
  if (!parsed.success) {
    throw new InputError(
      `${where} is no index of pretokenised rows; write them anew by babelscope pretokenize.`,
    );
  }
  const { shards, context_length, rows, left_over_tokens } = parsed.data;
  const segments: Segment[] = [];
  for (const { file, language, rows, sha256 } of shards) {
    const path = join(folder, file);
    const { segment, length } = await matrixSegment(path);
    const isSame = segment.rows === rows && length === context_length &&
      await hasher.sha256(path) === sha256;
    if (!isSame) {
      throw new InputError(
        `${path} is not the file that ${TOKEN_INDEX} names; write the folder anew by babelscope ` +
          `pretokenize.`,
      );
    }
    segments.push({ ...segment, language: language ?? undefined });
  }
  if (segments.length === 0 || rows !== sum(segments.map(({ rows }) => rows))) {
    throw new InputError(
      `${where} counts ${rows} rows, but its files have others; write the folder anew.`,
    );
  }
  const sha256 = Object.fromEntries(shards.map(({ file, sha256 }) => [file, sha256]));
  return new StoredRows(context_length, segments, sha256, left_over_tokens);
}

/** Consecutive rows in a file. */
interface Segment {
  readonly rows: number;
  readonly language: string | undefined;
  readonly type: IdType;
  open(): Promise<OpenSegment>;
}

interface OpenSegment extends Disposable {
  read(row: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Files that are open at a time; systems allow a process about a thousand. */
const MOST_OPEN = 64;

class StoredRows implements TokenRows {
  readonly rows: number;
  readonly parts: TokenRows["parts"];
  readonly #segments: readonly Segment[];
  /** First row of each segment. */
  readonly #begins: readonly number[];
  readonly #open = new Map<Segment, OpenSegment>();

  constructor(
    readonly contextLength: number,
    segments: readonly Segment[],
    readonly sha256: Readonly<Record<string, string>>,
    readonly leftOver = 0,
  ) {
    this.#segments = segments;
    let rows = 0;
    this.#begins = segments.map((segment) => (rows += segment.rows) - segment.rows);
    this.rows = rows;
    this.parts = partsOf(segments);
  }

  async read(rows: ArrayLike<number>): Promise<Uint32Array<ArrayBuffer>> {
    const ids = new Uint32Array(rows.length * this.contextLength);
    for (let i = 0; i < rows.length; i++) {
      ids.set(await this.#row(rows[i]), i * this.contextLength);
    }
    return ids;
  }

  async #row(row: number): Promise<ArrayLike<number>> {
    if (!(row >= 0 && row < this.rows)) throw new RangeError(`row ${row} of ${this.rows}`);
    const at = this.#begins.findLastIndex((begin) => begin <= row);
    const segment = this.#segments[at];
    const file = this.#open.get(segment) ?? await this.#opened(segment);
    return idsOf(await file.read(row - this.#begins[at]), segment.type);
  }

  async #opened(segment: Segment): Promise<OpenSegment> {
    const [oldest] = this.#open;
    if (this.#open.size >= MOST_OPEN) {
      oldest[1][Symbol.dispose]();
      this.#open.delete(oldest[0]);
    }
    const file = await segment.open();
    this.#open.set(segment, file);
    return file;
  }

  [Symbol.dispose](): void {
    for (const file of this.#open.values()) file[Symbol.dispose]();
    this.#open.clear();
  }
}

function partsOf(segments: readonly Segment[]): TokenRows["parts"] {
  const parts: { language: string | undefined; rows: number }[] = [];
  for (const { language, rows } of segments) {
    const last = parts.at(-1);
    if (last && last.language === language) last.rows += rows;
    else parts.push({ language, rows });
  }
  return parts;
}

/** The rows of a matrix `input_ids`, and their length. */
async function matrixSegment(path: string): Promise<{ segment: Segment; length: number }> {
  using tensors = await openSafetensorsFile(path);
  const { dtype, shape } = tensors.info(INPUT_IDS);
  const [rows, length] = shape;
  if (shape.length !== 2 || rows * length === 0 || !isIdType(dtype)) {
    throw noIds(path, INPUT_IDS, dtype, shape);
  }
  const open = () => rowsIn(path, INPUT_IDS, 1);
  return { segment: { rows, language: undefined, type: dtype, open }, length };
}

/** Rows of a tensor in an open file, `size` of its outermost dimension each. */
async function rowsIn(path: string, name: string, size: number): Promise<OpenSegment> {
  const tensors = await openSafetensorsFile(path);
  return {
    read: (row) => tensors.read(name, row * size, (row + 1) * size),
    [Symbol.dispose]: () => tensors[Symbol.dispose](),
  };
}

function idsOf(bytes: Uint8Array<ArrayBuffer>, type: IdType): ArrayLike<number> {
  const { buffer, byteOffset, byteLength } = bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  const read: Record<IdType, (i: number) => number> = {
    U16: (i) => view.getUint16(2 * i, true),
    I32: (i) => view.getUint32(4 * i, true),
    U32: (i) => view.getUint32(4 * i, true),
    I64: (i) => Number(BigInt.asUintN(32, view.getBigInt64(8 * i, true))),
  };
  return Uint32Array.from({ length: byteLength / ID_BYTES[type] }, (_, i) => read[type](i));
}

function isIdType(dtype: string): dtype is IdType {
  return Object.hasOwn(ID_BYTES, dtype);
}

function noIds(path: string, name: string, dtype: string, shape: readonly number[]): InputError {
  return new InputError(
    `${path} has ${dtype} [${shape}] in ${
      JSON.stringify(name)
    }, expected token ids: vectors, or a ` +
      `matrix ${INPUT_IDS}, of type U16, U32, I32 or I64; write them as such.`,
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
