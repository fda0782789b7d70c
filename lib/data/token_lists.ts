/** Data sets that hold token ids: a column `input_ids` of lists (spec train-and-interpret A.5). */

import { InputError } from "../formats/input_error.ts";
import { openParquet } from "../formats/parquet/parquet.ts";
import { openArrow } from "./arrow_rows.ts";
import { readLines } from "./lines.ts";
import { NATIVE_CODECS } from "./native_codecs.ts";
import { readRows, type RowFile } from "./row_files.ts";

/** The column that says that there is nothing left to tokenise. */
export const INPUT_IDS = "input_ids";

/** Whether the rows of a file have token ids. Only tables of lists and JSON lines can. */
export async function hasTokenLists(file: RowFile): Promise<boolean> {
  const isParquet = file.where.endsWith(".parquet");
  if (!isParquet && !/\.(jsonl?|arrow)$/.test(file.where)) return false;
  const source = await file.open();
  try {
    if (isParquet) {
      return (await openParquet(source, file.where, NATIVE_CODECS)).columns.includes(INPUT_IDS);
    }
    if (file.where.endsWith(".arrow")) {
      return (await openArrow(source, file.where)).columns.includes(INPUT_IDS);
    }
    for await (const line of readLines(source, file.where)) {
      if (line.trim()) return Object.hasOwn(recordOf(line), INPUT_IDS);
    }
    return false;
  } finally {
    source[Symbol.dispose]?.();
  }
}

/** A line that is none is refused by the reader of rows, with its number. */
function recordOf(line: string): object {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}

/**
 * Token ids of the rows of files, from row `begin` on.
 *
 * @throws InputError when a file cannot be read, or a row holds anything but token ids
 */
export async function* readTokenLists(
  files: readonly RowFile[],
  begin: number,
): AsyncGenerator<Uint32Array<ArrayBuffer>> {
  let first = 0;
  for (const file of files) {
    if (!file.where.endsWith(".parquet")) {
      // lines and streams have no count but by reading them
      for await (const ids of lineLists(file)) if (first++ >= begin) yield ids;
      continue;
    }
    const source = await file.open();
    try {
      const table = await openParquet(source, file.where, NATIVE_CODECS);
      const from = Math.min(Math.max(begin - first, 0), table.rows);
      let row = first + from;
      for await (const list of table.readLists(INPUT_IDS, from)) {
        yield tokenIds(list, `${file.where} row ${row++ - first}`);
      }
      first += table.rows;
    } finally {
      source[Symbol.dispose]?.();
    }
  }
}

async function* lineLists(file: RowFile): AsyncGenerator<Uint32Array<ArrayBuffer>> {
  const all = { columns: [INPUT_IDS], begin: 0, end: Infinity };
  for await (const { cells: [list], where } of readRows([file], all)) {
    if (list !== undefined) yield tokenIds(list, where);
  }
}

function tokenIds(list: unknown, where: string): Uint32Array<ArrayBuffer> {
  if (!Array.isArray(list) || list.length === 0) {
    throw new InputError(
      `${where} has no list of token ids in ${INPUT_IDS}, expected one; write the row anew or leave ` +
        `it out.`,
    );
  }
  const strange: unknown = list.find((id) => !Number.isInteger(id) || id < 0 || id >= 2 ** 32);
  if (strange === undefined) return Uint32Array.from(list as number[]);
  throw new InputError(
    `${where} has ${
      JSON.stringify(strange)
    } in ${INPUT_IDS}, expected token ids; write the row anew ` +
      `or leave it out.`,
  );
}
