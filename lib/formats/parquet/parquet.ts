/**
 * Parquet files, read by ranges: the footer, then only the pages of the rows and columns asked for
 * (https://parquet.apache.org/docs/file-format/). The footer is hyparquet's to read, and the codecs
 * are those of hyparquet-compressors.
 */

import type { ColumnChunk, FileMetaData, SchemaElement } from "hyparquet";
import type { ByteSource } from "../byte_source.ts";
import { InputError } from "../input_error.ts";
import { Cursor } from "./cursor.ts";
import { type ListForm, listForm, readChunkLists } from "./lists.ts";
import { type ByteRange, damaged, guarded, PageReader } from "./page_reader.ts";
import {
  type ColumnForm,
  type Inflate,
  type ParquetCell,
  type PhysicalType,
  readCells,
  readDictionary,
} from "./pages.ts";
import { checkStruct } from "./thrift.ts";

/** Magic number at both ends of a file. */
const MAGIC = "PAR1";
const MAX_FOOTER_BYTES = 2 ** 26;
/** Values in a footer: some thirty for each column of each row group. */
const MAX_FOOTER_VALUES = 2 ** 21;
/** Rows of a row group; pyarrow once wrote so many, others write a million or fewer. */
const MAX_GROUP_ROWS = 2 ** 26;
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
  /**
   * Lists of whole numbers of a column, from row `begin` on, read page by page.
   *
   * @throws InputError for a column that is missing or holds no such lists, when one of them is
   *   missing or empty, and when the file is damaged
   */
  readLists(column: string, begin: number): AsyncGenerator<readonly number[]>;
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
            .find(({ meta_data }) => isPath(meta_data?.path_in_schema, [name]));
          const form = { ...forms[c], inflate: codecs.get(chunk?.meta_data?.codec ?? "") };
          const cells = await readChunk(source, chunk, form, { from, to, rows }, where);
          for (const cell of cells) read[c].push(cell);
        }
      }
      return read;
    },
    async *readLists(column, begin) {
      const stored = listFormOf(meta, column, where);
      let first = 0;
      for (const [g, rows] of groups.entries()) {
        const from = Math.max(begin - first, 0);
        first += rows;
        if (from >= rows) continue;
        const chunk = meta.row_groups[g].columns
          .find(({ meta_data }) => isPath(meta_data?.path_in_schema, stored.path));
        const form = { ...stored, inflate: codecs.get(chunk?.meta_data?.codec ?? "") };
        const elements = Number(chunk?.meta_data?.num_values);
        const pages = new PageReader(source, pagesOf(chunk, form, where), elements, where);
        yield* readChunkLists(pages, form, { from, rows, elements });
      }
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

function isPath(path: readonly string[] | undefined, names: readonly string[]): boolean {
  return path?.length === names.length && path.every((name, i) => name === names[i]);
}

/** The schema from a top-level column's element on. */
function schemaFrom({ schema }: FileMetaData, name: string, where: string): SchemaElement[] {
  const columns = topLevel(schema);
  const element = columns.find((column) => column.name === name);
  if (element) return schema.slice(schema.indexOf(element));
  throw new InputError(
    `${where} has no column ${JSON.stringify(name)} but ` +
      `${columns.map((column) => column.name).join(", ") || "none"}; name the one with the ` +
      `texts with --text-column.`,
  );
}

function listFormOf(meta: FileMetaData, name: string, where: string): ListForm {
  const form = listForm(schemaFrom(meta, name, where));
  if (form) return form;
  const column = JSON.stringify(name);
  throw new InputError(
    `${where} has no lists of whole numbers in the column ${column}, expected token ids; write them ` +
      `as such.`,
  );
}

function columnForm(meta: FileMetaData, name: string, where: string): ColumnForm {
  const [{ type, num_children, repetition_type }] = schemaFrom(meta, name, where);
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
  const pages = new PageReader(source, pagesOf(chunk, form, where), rows, where);
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

/** Where the pages of a column chunk are. */
function pagesOf(
  chunk: ColumnChunk | undefined,
  { inflate }: ColumnForm,
  where: string,
): ByteRange {
  if (!chunk?.meta_data) throw damaged(where, "a row group lacks a column");
  const { codec } = chunk.meta_data;
  if (codec === "UNCOMPRESSED" || inflate) return chunkRange(chunk.meta_data);
  throw new InputError(
    `${where} is compressed with ${codec}, expected snappy, gzip, zstd, brotli or lz4; write it ` +
      `anew with one of them.`,
  );
}

function chunkRange(chunk: NonNullable<ColumnChunk["meta_data"]>): ByteRange {
  const data = Number(chunk.data_page_offset);
  // some writers put 0 for "no dictionary"
  const dictionary = Number(chunk.dictionary_page_offset ?? 0n) || data;
  const begin = Math.min(data, dictionary);
  return { begin, end: begin + Number(chunk.total_compressed_size) };
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
