/** Texts of a file, row by row: `.txt` and `.jsonl` by lines, `.csv` and `.parquet` as tables. */

import { InputError } from "../formats/input_error.ts";
import { readChunks } from "./files.ts";
import { readTable } from "./tables.ts";

/** Extensions of files that texts are read from. */
export const TEXT_EXTENSIONS = ["txt", "jsonl", "csv", "parquet"] as const;

/** The text of each row, at its row number; undefined where a row has none. */
export type TextRows = (string | undefined)[];

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = "\ufeff";

/**
 * The first `limit` rows of a file, read as they are; its extension says how. Row numbers count the
 * lines of `.txt` and `.jsonl`, and the records of tables. A row has no text when it is blank: an
 * empty line, an empty or missing cell, null.
 *
 * @param column where `.jsonl`, `.csv` and `.parquet` have the text
 * @throws InputError when the file cannot be read, is not UTF-8, or has no such column
 */
export async function readTextRows(
  path: string,
  limit: number,
  column: string,
): Promise<TextRows> {
  const rows: TextRows = [];
  for await (const text of textsOf(path, column)) {
    if (rows.length >= limit) break;
    rows.push(text?.trim() ? text : undefined);
  }
  return rows;
}

function textsOf(
  path: string,
  column: string,
): AsyncIterable<string | undefined> {
  if (path.endsWith(".txt")) return readLines(path);
  return path.endsWith(".jsonl") ? jsonlTexts(path, column) : tableTexts(path, column);
}

async function* jsonlTexts(path: string, column: string): AsyncGenerator<string | undefined> {
  let number = 0;
  for await (const line of readLines(path)) {
    number++;
    yield line.trim() ? jsonText(line, column, `${path} line ${number}`) : undefined;
  }
}

function jsonText(line: string, column: string, where: string): string | undefined {
  const record = parseRecord(line, where);
  if (Object.hasOwn(record, column)) return asText(record[column], column, where);
  throw new InputError(
    `${where} has no ${JSON.stringify(column)} but ${
      Object.keys(record).join(", ") || "nothing"
    }; ` +
      `name the field with the texts with --text-column.`,
  );
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

async function* tableTexts(path: string, column: string): AsyncGenerator<string | undefined> {
  // polars says no more than "invalid utf-8": look for the line first
  if (path.endsWith(".csv")) { for await (const _ of readLines(path)); }
  const cells = (await readTable(path, [column]))[column];
  for (const [row, cell] of cells.entries()) yield asText(cell, column, `${path} row ${row}`);
}

function asText(cell: unknown, column: string, where: string): string | undefined {
  if (cell === null || typeof cell === "string") return cell ?? undefined;
  throw new InputError(
    `${where} has a ${typeof cell} for ${JSON.stringify(column)}, expected text; ` +
      `name the column with the texts with --text-column.`,
  );
}

/**
 * Lines of a file without their end (LF or CRLF) and without a byte order mark before the first.
 *
 * @throws InputError when the file cannot be read or a line is not UTF-8
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  let number = 0;
  for await (const bytes of splitLines(readChunks(path))) {
    number++;
    const line = decodeLine(bytes, path, number);
    yield number === 1 && line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
  }
}

async function* splitLines(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let begun: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      yield join([...begun, chunk.subarray(start, end)]);
      begun = [];
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
  if (begun.length > 0) yield join(begun);
}

function join(parts: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function decodeLine(bytes: Uint8Array<ArrayBuffer>, path: string, number: number): string {
  const carriageReturn = bytes.at(-1) === 0x0d ? 1 : 0;
  const line = bytes.subarray(0, bytes.length - carriageReturn);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    throw new InputError(
      `${path} line ${number}, byte ${firstBadByte(line)}, is not UTF-8; convert it to UTF-8.`,
    );
  }
}

/** Number, from 1, of the byte at which a line stops being UTF-8. */
function firstBadByte(line: Uint8Array<ArrayBuffer>): number {
  let good = 0;
  let bad = line.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (beginsAsUtf8(line.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return Math.min(bad, line.length);
}

/** True when more bytes could make these UTF-8. */
function beginsAsUtf8(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
