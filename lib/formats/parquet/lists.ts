/**
 * Lists of whole numbers in a Parquet column, such as the token ids of pretokenised rows: one level
 * of nesting, as the format's repetition and definition levels store it
 * (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists).
 */

import type { SchemaElement } from "hyparquet";
import { Cursor } from "./cursor.ts";
import { damaged, guarded, type PageReader } from "./page_reader.ts";
import {
  type ColumnForm,
  inflated,
  type PageHeader,
  type ParquetCell,
  type PhysicalType,
  readDictionary,
  readValues,
} from "./pages.ts";
import { readHybrid } from "./runs.ts";

/** How a column of lists is stored. */
export interface ListForm extends ColumnForm {
  /** Names from the column down to its elements. */
  readonly path: readonly string[];
  /** Definition level of an element that has a value. */
  readonly definition: number;
}

/** Elements of a list: over many pages, a few bytes could claim any number of them. */
const MAX_ELEMENTS = 2 ** 24;

/** Which lists of a column chunk are read. */
export interface ChunkLists {
  /** First row. */
  readonly from: number;
  /** Rows of the row group. */
  readonly rows: number;
  /** Elements of all of them. */
  readonly elements: number;
}

/**
 * The lists of a column in a row group, `from` on. A list may go on in the next page, so that each is
 * given only when the next one begins.
 *
 * @throws InputError when the file is damaged, or a list or one of its elements is missing
 */
export async function* readChunkLists(
  pages: PageReader,
  form: ListForm,
  { from, rows, elements }: ChunkLists,
): AsyncGenerator<readonly number[]> {
  const { where } = pages;
  let dictionary: ParquetCell[] | undefined;
  let row = -1;
  let list: readonly number[] = [];
  for (let seen = 0; seen < elements;) {
    const header = await pages.header();
    const page = await pages.take(header.bytes);
    if (header.kind === "dictionary") {
      dictionary = guarded(where, () => readDictionary(page, header, form));
    }
    if (header.kind !== "data" && header.kind !== "dataV2") continue;
    const { lists, goesOn } = guarded(where, () => readListPage(page, header, form, dictionary));
    if (goesOn) list = guarded(where, () => longer(list, lists[0]));
    for (const next of goesOn ? lists.slice(1) : lists) {
      if (row >= from) yield list;
      row++;
      list = next;
    }
    seen += header.cells;
  }
  if (row >= from) yield list;
  if (row + 1 !== rows) throw damaged(where, `a row group has ${row + 1} lists, not ${rows}`);
}

function longer(list: readonly number[], more: readonly number[]): number[] {
  if (list.length + more.length <= MAX_ELEMENTS) return [...list, ...more];
  throw new RangeError(`a list of more than ${MAX_ELEMENTS} numbers`);
}

/** Whole numbers of one page. */
interface ListPage {
  /** One per list that begins or goes on in the page, in order. */
  readonly lists: readonly (readonly number[])[];
  /** True where the first of them goes on from the page before. */
  readonly goesOn: boolean;
}

/**
 * How the lists of a column are stored.
 *
 * @param schema of the file, from the column's element on
 * @returns undefined where it holds anything but lists of whole numbers
 */
export function listForm(schema: readonly SchemaElement[]): ListForm | undefined {
  const path: string[] = [];
  let definition = 0;
  let repeated = 0;
  for (const { name, repetition_type, num_children, type } of schema) {
    path.push(name);
    if (repetition_type !== "REQUIRED") definition++;
    if (repetition_type === "REPEATED") repeated++;
    if (num_children === 1) continue;
    const isWhole = !num_children && (type === "INT32" || type === "INT64");
    if (!isWhole || repeated !== 1) return undefined;
    return { type: type as PhysicalType, optional: definition > 0, path, definition };
  }
}

/**
 * The lists of a data page.
 *
 * @throws RangeError when the page is malformed, or a list or one of its elements is missing
 */
function readListPage(
  page: Uint8Array<ArrayBuffer>,
  header: PageHeader,
  form: ListForm,
  dictionary: readonly ParquetCell[] | undefined,
): ListPage {
  const { cursor, repetition, definition } = header.kind === "dataV2"
    ? beginV2(page, header, form)
    : beginV1(page, header, form);
  const count = definition.reduce((sum, level) => sum + (level === form.definition ? 1 : 0), 0);
  const values = readValues(cursor, header.encoding, form.type, count, dictionary);
  const lists: number[][] = [];
  let at = 0;
  for (const [cell, again] of repetition.entries()) {
    if (!again || cell === 0) lists.push([]);
    if (definition[cell] === form.definition) lists.at(-1)!.push(whole(values[at++]));
    else throw new RangeError("a list that is empty, or lacks a value");
  }
  return { lists, goesOn: repetition[0] === 1 };
}

interface Begun {
  readonly cursor: Cursor;
  /** 0 for each element that begins a list. */
  readonly repetition: Uint32Array;
  readonly definition: Uint32Array;
}

/** Levels lie in front of the values and are compressed with them, each with its length before it. */
function beginV1(page: Uint8Array<ArrayBuffer>, header: PageHeader, form: ListForm): Begun {
  const cursor = new Cursor(inflated(page, header, form));
  const repetition = readHybrid(new Cursor(cursor.take(cursor.u32())), 1, header.cells);
  const levels = new Cursor(cursor.take(cursor.u32()));
  return { cursor, repetition, definition: readHybrid(levels, widthOf(form), header.cells) };
}

/** Levels lie in front of the values and are not compressed. */
function beginV2(page: Uint8Array<ArrayBuffer>, header: PageHeader, form: ListForm): Begun {
  const levels = new Cursor(page);
  const repetition = new Cursor(levels.take(header.levels.repetition));
  const definition = new Cursor(levels.take(header.levels.definition));
  const stored = page.subarray(levels.at);
  const values = { ...header, inflatedBytes: header.inflatedBytes - levels.at };
  return {
    cursor: new Cursor(header.compressed ? inflated(stored, values, form) : stored),
    repetition: readHybrid(repetition, 1, header.cells),
    definition: readHybrid(definition, widthOf(form), header.cells),
  };
}

/** Bits of a definition level. */
function widthOf({ definition }: ListForm): number {
  return 32 - Math.clz32(definition);
}

function whole(value: ParquetCell): number {
  if (typeof value === "number") return value;
  throw new RangeError(`the number ${value} in a list`);
}
