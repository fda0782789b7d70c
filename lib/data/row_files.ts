/** Files of rows: Parquet, Arrow and CSV tables, and `.jsonl` and `.txt` by lines. */

import type { ByteSource } from "../formats/byte_source.ts";
import { InputError } from "../formats/input_error.ts";
import { openParquet } from "../formats/parquet/parquet.ts";
import { openArrow } from "./arrow_rows.ts";
import { readLines } from "./lines.ts";
import { NATIVE_CODECS } from "./native_codecs.ts";
import { parseCsv } from "./tables.ts";

/** Extensions of files that rows are read from; of one name, the first is preferred. */
export const ROW_EXTENSIONS = ["parquet", "jsonl", "json", "csv", "tsv", "txt", "arrow"] as const;

/** A file of rows, wherever it lies. */
export interface RowFile {
  /** For messages; its extension says how it is read. */
  readonly where: string;
  open(): Promise<ByteSource & Partial<Disposable>>;
}

/** A row: cells in the order of the columns asked for. */
export interface Row {
  readonly cells: readonly unknown[];
  /** The file and the row or line of it. */
  readonly where: string;
}

/** Columns and rows to read. */
export interface RowQuery {
  /** A text file has one column, under whatever name. */
  readonly columns: readonly string[];
  /** First row, over all files. */
  readonly begin: number;
  /** One past the last; Infinity for all. */
  readonly end: number;
  /** Column whose cells are numbers of classes: they are given by the classes' names. */
  readonly label?: string;
}

/** CSV is parsed as a whole. */
const MAX_CSV_BYTES = 2 ** 30;

/**
 * Rows of files in turn: of tables the records, of `.txt` and `.jsonl` the lines. An empty line of
 * `.jsonl` is a row without cells. Of Parquet only the row groups and columns of these rows are
 * read, of lines and Arrow streams only what comes before the last of them.
 *
 * @returns how many rows there are, or at least `query.end` of them
 * @throws InputError when a file cannot be read, is damaged or lacks a column
 */
export async function* readRows(
  files: readonly RowFile[],
  query: RowQuery,
): AsyncGenerator<Row, number> {
  let first = 0;
  for (const file of files) {
    if (first >= query.end) break;
    const within = { ...query, begin: Math.max(query.begin - first, 0), end: query.end - first };
    first += yield* rowsOf(file, within);
  }
  return first;
}

/** Yields the rows asked for; returns how many the file has, or at least `query.end` of them. */
async function* rowsOf(file: RowFile, query: RowQuery): AsyncGenerator<Row, number> {
  const source = await file.open();
  try {
    if (file.where.endsWith(".parquet")) return yield* parquetRows(source, file.where, query);
    if (file.where.endsWith(".arrow")) return yield* arrowRows(source, file.where, query);
    const all = /\.[ct]sv$/.test(file.where)
      ? csvRows(source, file.where, query)
      : lineRows(source, file.where, query);
    let row = 0;
    for await (const cells of all) {
      if (row >= query.begin && row < query.end) yield cells;
      row++;
      if (row >= query.end) break;
    }
    return row;
  } finally {
    source[Symbol.dispose]?.();
  }
}

async function* parquetRows(
  source: ByteSource,
  where: string,
  { columns, begin, end, label }: RowQuery,
): AsyncGenerator<Row, number> {
  const file = await openParquet(source, where, NATIVE_CODECS);
  const classes = label === undefined ? undefined : classNames(file.metadata, label);
  let first = 0;
  for (const rows of file.groups) {
    const from = Math.max(begin, first);
    const to = Math.min(end, first + rows);
    first += rows;
    if (from >= to) continue;
    const cells = await file.read(columns, from, to);
    for (let row = from; row < to; row++) {
      const values = columns.map((name, c) => named(cells[c][row - from], name === label, classes));
      yield { cells: values, where: `${where} row ${row}` };
    }
  }
  return file.rows;
}

async function* arrowRows(
  source: ByteSource,
  where: string,
  { columns, begin, end, label }: RowQuery,
): AsyncGenerator<Row, number> {
  const stream = await openArrow(source, where);
  const classes = label === undefined ? undefined : classNames(stream.metadata, label);
  let read = 0;
  for await (const { first, rows, cell } of stream.batches(columns)) {
    read = first + rows;
    for (let row = Math.max(begin, first); row < Math.min(end, read); row++) {
      const cells = columns.map((name, c) => named(cell(c, row - first), name === label, classes));
      yield { cells, where: `${where} row ${row}` };
    }
    if (read >= end) break;
  }
  return read;
}

/** A cell; the number of a class by its name. */
function named(cell: unknown, isLabel: boolean, classes: readonly string[] | undefined): unknown {
  return isLabel && typeof cell === "number" ? classes?.[cell] ?? cell : cell;
}

/** Names of a column's classes, which the hub's own library writes into the file. */
function classNames(metadata: ReadonlyMap<string, string>, column: string): string[] | undefined {
  try {
    const features = JSON.parse(metadata.get("huggingface") ?? "null")?.info?.features;
    const names = Object.hasOwn(features, column) ? features[column]?.names : undefined;
    const isList = Array.isArray(names) && names.every((name) => typeof name === "string");
    return isList ? names : undefined;
  } catch {
    return undefined;
  }
}

async function* csvRows(
  source: ByteSource,
  where: string,
  { columns }: RowQuery,
): AsyncGenerator<Row> {
  if (source.size > MAX_CSV_BYTES) {
    throw new InputError(
      `${where} has ${source.size} bytes, expected a CSV file of at most ${MAX_CSV_BYTES}; ` +
        `write it as Parquet.`,
    );
  }
  // polars says no more than "invalid utf-8": look for the line first
  for await (const _ of readLines(source, where));
  const table = await parseCsv(await source.read(0, source.size), where, columns);
  const [length = 0] = columns.map((name) => table[name].length);
  for (let row = 0; row < length; row++) {
    yield { cells: columns.map((name) => table[name][row]), where: `${where} row ${row}` };
  }
}

async function* lineRows(
  source: ByteSource,
  path: string,
  { columns, begin }: RowQuery,
): AsyncGenerator<Row> {
  let number = 0;
  for await (const line of readLines(source, path)) {
    const where = `${path} line ${++number}`;
    if (number <= begin) yield { cells: [], where };
    else if (path.endsWith(".txt")) yield { cells: columns.map(() => line), where };
    else yield { cells: line.trim() ? jsonCells(line, columns, where) : [], where };
  }
}

function jsonCells(line: string, columns: readonly string[], where: string): unknown[] {
  const record = parseRecord(line, where);
  return columns.map((column) => {
    if (Object.hasOwn(record, column)) return record[column];
    const names = Object.keys(record).join(", ") || "nothing";
    throw new InputError(
      `${where} has no ${JSON.stringify(column)} but ${names}; ` +
        `name the field with the texts with --text-column.`,
    );
  });
}

function parseRecord(line: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new InputError(
      `${where} is not JSON (${(error as Error).message}), expected one object per line.`,
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new InputError(`${where} is not a JSON object, expected one object per line.`);
}
