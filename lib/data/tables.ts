/**
 * Tables as Parquet and CSV, written through polars, which also reads CSV. It is loaded at the first
 * use: programs that touch no table need none of the permissions (ffi, env, sys) of its native
 * library.
 */

import { Buffer } from "node:buffer";
import type { Series } from "nodejs-polars";
import { InputError } from "../formats/input_error.ts";
import { openParquet } from "../formats/parquet/parquet.ts";
import { openFileSource } from "./file_source.ts";
import { NATIVE_CODECS } from "./native_codecs.ts";
import { readBytes, writeAtomic } from "./files.ts";

/** Columns by name, in order; all of one length. */
export type Columns = Readonly<Record<string, readonly Cell[]>>;

/** Most columns of a CSV: polars takes much time and memory for each, however empty. */
const MAX_CSV_COLUMNS = 4096;
const QUOTE = 0x22;
const LINE_END = 0x0a;

/** What a cell may hold; null is a missing value. */
export type Cell = string | number | null;

/**
 * Writes a table as `<path>.parquet` and `<path>.csv`, each atomically. A column of whole numbers is
 * stored as Int64, other numbers as Float64, texts as Utf8.
 *
 * @throws InputError when a file cannot be written
 * @throws TypeError when a column mixes texts and numbers, or lengths differ
 */
export async function writeTable(pathWithoutExtension: string, columns: Columns): Promise<void> {
  const lengths = new Set(Object.values(columns).map(({ length }) => length));
  if (lengths.size > 1) throw new TypeError(`columns of lengths ${[...lengths].join(", ")}`);
  const polars = await loadPolars();
  const series = Object.entries(columns).map(([name, cells]) => toSeries(polars, name, cells));
  const table = polars.DataFrame(series);
  await writeAtomic(`${pathWithoutExtension}.parquet`, table.writeParquet());
  await writeAtomic(`${pathWithoutExtension}.csv`, table.writeCSV());
}

/** Columns of one number type by name, in order; all of one length. */
export type NumericColumns = Readonly<
  Record<string, Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>
>;

/**
 * Writes a long table of numbers as Parquet alone, atomically, in the types of its columns: UInt32,
 * Float32.
 *
 * @throws InputError when the file cannot be written
 */
export async function writeParquet(path: string, columns: NumericColumns): Promise<void> {
  const polars = await loadPolars();
  // polars reads typed arrays, though its declarations know of lists only
  const series = Object.entries(columns).map(([name, values]) =>
    polars.Series(name, values as unknown as number[])
  );
  await writeAtomic(path, polars.DataFrame(series).writeParquet());
}

/**
 * Reads a `.csv` or `.parquet` table. Cells of a CSV are texts as they stand in the file (an empty
 * one is null); those of a Parquet file have its own types.
 *
 * @param only read these columns alone
 * @throws InputError when it cannot be read, is damaged, or lacks a column
 */
export async function readTable(
  path: string,
  only?: readonly string[],
): Promise<Record<string, readonly unknown[]>> {
  if (!path.endsWith(".parquet")) return parseCsv(await readBytes(path), path, only);
  using source = await openFileSource(path);
  const file = await openParquet(source, path, NATIVE_CODECS);
  const names = only ?? file.columns;
  const cells = await file.read(names, 0, file.rows);
  return Object.fromEntries(names.map((name, c) => [name, cells[c]]));
}

/**
 * The columns of a CSV table, of a TSV one where its name ends so.
 *
 * @param where the file, for messages
 * @param only these columns alone
 * @throws InputError when it is damaged or lacks a column
 */
export async function parseCsv(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
  only?: readonly string[],
): Promise<Record<string, readonly unknown[]>> {
  const sep = where.endsWith(".tsv") ? "\t" : ",";
  const columns = columnsOf(bytes, sep);
  if (columns > MAX_CSV_COLUMNS) {
    throw new InputError(
      `${where} has ${columns} columns, expected at most ${MAX_CSV_COLUMNS}; leave out those that ` +
        `are not needed.`,
    );
  }
  const polars = await loadPolars();
  try {
    const table = polars.readCSV(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      sep,
      inferSchemaLength: 0, // texts stay as they are written: no "007" becomes 7
      truncateRaggedLines: false, // a comma too many is a fault, not the end of the text
    });
    const missing = only?.find((name) => !table.columns.includes(name));
    if (missing !== undefined) throw noColumn(where, missing, table.columns);
    return (only ? table.select(...only) : table).toObject();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const [why] = (error as Error).message.split("\n");
    throw new InputError(`${where} is not a readable table (${why}); check or rewrite the file.`);
  }
}

/** Columns of the first record, whose quoted names may hold separators and line ends. */
function columnsOf(bytes: Uint8Array, separator: string): number {
  let columns = 1;
  let quoted = false;
  for (const byte of bytes) {
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (byte === LINE_END) break;
    else if (byte === separator.charCodeAt(0)) columns++;
  }
  return columns;
}

type Polars = Awaited<ReturnType<typeof loadPolars>>;

async function loadPolars() {
  return (await import("nodejs-polars")).default;
}

function toSeries(polars: Polars, name: string, cells: readonly Cell[]): Series {
  const present = cells.filter((cell) => cell !== null);
  const texts = present.filter((cell) => typeof cell === "string").length;
  if (texts > 0 && texts < present.length) {
    throw new TypeError(`column ${name} mixes texts and numbers`);
  }
  if (texts > 0) return polars.Series(name, [...cells], polars.Utf8);
  // not Int32: this version of polars turns its nulls into 0
  const type = present.every(Number.isSafeInteger) ? polars.Int64 : polars.Float64;
  return polars.Series(name, [...cells], type);
}

function noColumn(path: string, name: string, columns: readonly string[]): InputError {
  return new InputError(
    `${path} has no column ${JSON.stringify(name)} but ${columns.join(", ")}; ` +
      `name the one with the texts with --text-column.`,
  );
}
