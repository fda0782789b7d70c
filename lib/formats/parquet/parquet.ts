/**
 * Parquet files, read by ranges: the footer, then only the pages of the rows and columns asked for
 * (https://parquet.apache.org/docs/file-format/). The footer is hyparquet's to read, and the codecs
 * are those of hyparquet-compressors.
 */

import type { ColumnChunk, FileMetaData, SchemaElement } from "hyparquet";
import type { ByteSource } from "../byte_source.ts";
import { InputError } from "../input_error.ts";
import { Cursor } from "./cursor.ts";
import {
  type ColumnForm,
  type Inflate,
  type ParquetCell,
  type PhysicalType,
  readCells,
  readDictionary,
  readPageHeader,
} from "./pages.ts";
import { checkStruct } from "./thrift.ts";

/** Magic number at both ends of a file. */
const MAGIC = "PAR1";
const MAX_FOOTER_BYTES = 2 ** 26;
/** Values in a footer: some thirty for each column of each row group. */
const MAX_FOOTER_VALUES = 2 ** 21;
/** Rows of a row group; pyarrow once wrote so many, others write a million or fewer. */
const MAX_GROUP_ROWS = 2 ** 26;
/** Bytes of one read: a page and, mostly, the header of the next. */
const WINDOW_BYTES = 2 ** 20;
/** Bytes of the first read at the end, where the footer is; most are shorter. */
const FOOTER_GUESS = 2 ** 14;

const TYPES: readonly string[] = ["BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE", "BYTE_ARRAY"];

/** An open Parquet file. */
export interface ParquetFile {
  /** Rows of all row groups. */
  readonly rows: number;
  /** Names of the top-level columns. */
  readonly columns: readonly string[];
  /** Rows of each row group, in order. */
  readonly groups: readonly number[];
  /** Texts that the writer put beside the table; the hub's library writes "huggingface". */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * Cells of columns by their names, rows `begin` to `end`, half open, within the file.
   *
   * @throws InputError for a column that is missing, nested or of a type that has no plain value,
   *   and when the file is damaged
   */
  read(columns: readonly string[], begin: number, end: number): Promise<ParquetCell[][]>;
}

/**
 * Opens a Parquet file: reads its footer.
 *
 * @param where the file, for messages
 * @param native decompressors by the names of Parquet's codecs, in the place of the library's
 * @throws InputError when it is not a Parquet file, or damaged
 */
export async function openParquet(
  source: ByteSource,
  where: string,
  native: ReadonlyMap<string, Inflate> = new Map(),
): Promise<ParquetFile> {
  const footer = await readFooter(source, where);
  const { parquetMetadata } = await import("hyparquet");
  const meta = guarded(where, () => {
    checkFooter(footer);
    const parsed = parquetMetadata(footer, { geoparquet: false });
    checkMetadata(parsed, source.size);
    return parsed;
  });
  const codecs = new Map([...await loadCodecs(), ...native]);
  const groups = meta.row_groups.map((group) => Number(group.num_rows));
  return {
    rows: groups.reduce((sum, rows) => sum + rows, 0),
    groups,
    columns: topLevel(meta.schema).map(({ name }) => name),
    metadata: new Map(meta.key_value_metadata?.map(({ key, value }) => [key, value ?? ""])),
    async read(columns, begin, end) {
      const forms = columns.map((name) => columnForm(meta, name, where));
      const read = columns.map((): ParquetCell[] => []);
      let first = 0;
      for (const [g, rows] of groups.entries()) {
        const from = Math.max(begin - first, 0);
        const to = Math.min(end - first, rows);
        first += rows;
        if (from >= to) continue;
        for (const [c, name] of columns.entries()) {
          const chunk = meta.row_groups[g].columns
            .find(({ meta_data }) => isColumn(meta_data?.path_in_schema, name));
          const form = { ...forms[c], inflate: codecs.get(chunk?.meta_data?.codec ?? "") };
          const cells = await readChunk(source, chunk, form, { from, to, rows }, where);
          for (const cell of cells) read[c].push(cell);
        }
      }
      return read;
    },
  };
}

async function readFooter(source: ByteSource, where: string): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = source;
  const tail = await source.read(Math.max(0, size - FOOTER_GUESS), size);
  const magic = new TextDecoder("latin1").decode(tail.subarray(-4));
  if (size < 12 || magic !== MAGIC) {
    throw new InputError(
      `${where} is not a readable Parquet file (it does not end with ${MAGIC}); fetch it again.`,
    );
  }
  const length = 8 + new DataView(tail.buffer, tail.length - 8).getUint32(0, true);
  if (length + 4 > size || length > MAX_FOOTER_BYTES) {
    throw damaged(where, `it claims a footer of ${length} bytes, in ${size}`);
  }
  return length <= tail.length ? tail : await source.read(size - length, size);
}

/** hyparquet makes every list as long as it claims to be before it reads its elements. */
function checkFooter(footer: Uint8Array<ArrayBuffer>): void {
  const end = footer.length - 8;
  const length = new DataView(footer.buffer, footer.byteOffset + end).getUint32(0, true);
  checkStruct(new Cursor(footer.subarray(end - length, end)), MAX_FOOTER_VALUES);
}

/** What hyparquet does not check. */
function checkMetadata(meta: FileMetaData, size: number): void {
  const { row_groups, schema, key_value_metadata: texts = [] } = meta;
  // a text where a list should be has numbers for its elements
  if (![row_groups, schema, texts].every(Array.isArray)) throw new RangeError("a text for a list");
  const names = topLevel(schema).map(({ name }) => name);
  if (new Set(names).size < names.length) throw new RangeError("two columns of one name");
  for (const { num_rows, columns } of row_groups) {
    if (!(num_rows >= 0n && num_rows <= MAX_GROUP_ROWS)) throw new RangeError(`${num_rows} rows`);
    for (const { meta_data: chunk } of columns) {
      if (!chunk) throw new RangeError("a column that lies in another file");
      const { begin, end } = chunkRange(chunk);
      if (!(0 <= begin && begin <= end && end <= size)) {
        throw new RangeError(`a column at bytes ${begin} to ${end} of ${size}`);
      }
    }
  }
}

/** Columns of the schema's root; those of structures and lists are theirs. */
function topLevel(schema: readonly SchemaElement[]): SchemaElement[] {
  const columns: SchemaElement[] = [];
  const below = (at: number): number => {
    let next = at + 1;
    for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) {
      if (next >= schema.length) throw new RangeError("a schema that is cut short");
      if (at === 0) columns.push(schema[next]);
      next = below(next);
    }
    return next;
  };
  below(0);
  return columns;
}

function isColumn(path: readonly string[] | undefined, name: string): boolean {
  return path?.length === 1 && path[0] === name;
}

function columnForm({ schema }: FileMetaData, name: string, where: string): ColumnForm {
  const columns = topLevel(schema);
  const element = columns.find((column) => column.name === name);
  if (!element) {
    throw new InputError(
      `${where} has no column ${JSON.stringify(name)} but ` +
        `${columns.map((column) => column.name).join(", ") || "none"}; name the one with the ` +
        `texts with --text-column.`,
    );
  }
  const { type, num_children, repetition_type } = element;
  if (num_children || repetition_type === "REPEATED" || !type || !TYPES.includes(type)) {
    throw new InputError(
      `${where} has ${num_children ? "nested values" : `the type ${type}`} in the column ` +
        `${JSON.stringify(name)}, expected text or numbers; name another one with --text-column.`,
    );
  }
  return { type: type as PhysicalType, optional: repetition_type === "OPTIONAL" };
}

/** Rows of a row group. */
interface GroupRows {
  readonly from: number;
  readonly to: number;
  /** Rows of the whole group. */
  readonly rows: number;
}

/** Cells of a column in a row group: pages before the first row are passed over. */
async function readChunk(
  source: ByteSource,
  chunk: ColumnChunk | undefined,
  form: ColumnForm,
  { from, to, rows }: GroupRows,
  where: string,
): Promise<ParquetCell[]> {
  if (!chunk?.meta_data) throw damaged(where, "a row group lacks a column");
  const { codec } = chunk.meta_data;
  if (codec !== "UNCOMPRESSED" && !form.inflate) {
    throw new InputError(
      `${where} is compressed with ${codec}, expected snappy, gzip, zstd, brotli or lz4; write it ` +
        `anew with one of them.`,
    );
  }
  const pages = new PageReader(source, chunkRange(chunk.meta_data), rows, where);
  let dictionary: ParquetCell[] | undefined;
  const cells: ParquetCell[] = [];
  for (let row = 0; row < to;) {
    const header = await pages.header();
    if (header.kind === "dictionary") {
      const page = await pages.take(header.bytes);
      dictionary = guarded(where, () => readDictionary(page, header, form));
    } else if (header.kind === "other" || row + header.cells <= from) {
      pages.skip(header.bytes);
    } else {
      const page = await pages.take(header.bytes);
      const all = guarded(where, () => readCells(page, header, form, dictionary));
      for (const cell of all.slice(Math.max(0, from - row), to - row)) cells.push(cell);
    }
    row += header.kind === "dictionary" ? 0 : header.cells;
  }
  return cells;
}

interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

function chunkRange(chunk: NonNullable<ColumnChunk["meta_data"]>): ByteRange {
  const data = Number(chunk.data_page_offset);
  // some writers put 0 for "no dictionary"
  const dictionary = Number(chunk.dictionary_page_offset ?? 0n) || data;
  const begin = Math.min(data, dictionary);
  return { begin, end: begin + Number(chunk.total_compressed_size) };
}

/** Reads a column chunk from front to back in windows of about WINDOW_BYTES. */
class PageReader {
  #at: number;
  #window: ByteRange & { bytes: Uint8Array<ArrayBuffer> };

  constructor(
    readonly source: ByteSource,
    readonly range: ByteRange,
    readonly rows: number,
    readonly where: string,
  ) {
    this.#at = range.begin;
    this.#window = { begin: 0, end: 0, bytes: new Uint8Array() };
  }

  /** The header of the page at hand; moves behind it. */
  async header() {
    if (this.#at >= this.range.end) throw damaged(this.where, "it ends before its last row");
    // headers are some tens of bytes, unless they hold statistics of long texts
    let view = await this.#peek(Math.min(256, this.range.end - this.#at));
    let header = attempt(() => readPageHeader(view, this.rows));
    if (!header) {
      view = await this.#peek(Math.min(WINDOW_BYTES, this.range.end - this.#at));
      header = guarded(this.where, () => readPageHeader(view, this.rows));
    }
    this.#at += header.headerBytes;
    return header;
  }

  /** The next bytes, whole. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length > this.range.end - this.#at) throw damaged(this.where, "a page is cut short");
    const bytes = await this.#peek(length);
    this.#at += length;
    return bytes;
  }

  skip(length: number): void {
    this.#at += length;
  }

  async #peek(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#at < this.#window.begin || this.#at + length > this.#window.end) {
      const end = Math.min(this.range.end, this.#at + Math.max(length, WINDOW_BYTES));
      const bytes = await this.source.read(this.#at, end);
      this.#window = { begin: this.#at, end, bytes };
    }
    const begin = this.#at - this.#window.begin;
    return this.#window.bytes.subarray(begin, begin + length);
  }
}

async function loadCodecs(): Promise<ReadonlyMap<string, Inflate>> {
  const { snappyUncompress } = await import("hyparquet");
  const { decompressBrotli, decompressGzip, decompressLz4, decompressLz4Raw, decompressZstd } =
    await import("hyparquet-compressors");
  const codecs: [string, (bytes: Uint8Array, length: number) => Uint8Array][] = [
    ["SNAPPY", (bytes, length) => {
      const inflated = new Uint8Array(length);
      snappyUncompress(bytes, inflated);
      return inflated;
    }],
    ["GZIP", decompressGzip],
    ["ZSTD", (bytes, length) => decompressZstd(bytes, new Uint8Array(length))],
    ["BROTLI", decompressBrotli],
    ["LZ4", decompressLz4],
    ["LZ4_RAW", decompressLz4Raw],
  ];
  return new Map(
    codecs.map(([name, inflate]) => [
      name,
      (bytes, length) => inflate(bytes, length) as Uint8Array<ArrayBuffer>,
    ]),
  );
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Whatever goes wrong while bytes are decoded is the file's fault. */
function guarded<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw damaged(where, (error as Error).message.split("\n")[0]);
  }
}

function damaged(where: string, why: string): InputError {
  return new InputError(`${where} is not a readable Parquet file (${why}); fetch it again.`);
}
