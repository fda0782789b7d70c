/** Finding and reading files in a folder of results, where every one may be missing. */
import { join } from "node:path";
import { z } from "zod";
import { isFile, isFolder } from "../../data/file_tree.ts";
import { listFolder, readJson } from "../../data/files.ts";
import { readTable } from "../../data/tables.ts";
import { InputError } from "../../formats/input_error.ts";

/** Folders that hold very many files and no results of their own. */
const PRUNED =
  /^(counts|.*_counts|sae_features|statistics|text_generation|explanations|prompts|scores|\..*)$/;
/** Results lie so deep. */
const DEPTH = 4;

/**
 * Folders below one (itself as "") that have a file of a name, as paths below it in order.
 *
 * @param folder need not be there
 */
export async function foldersWith(folder: string, file: string, depth = DEPTH): Promise<string[]> {
  if (!await isFolder(folder)) return [];
  const found = await isFile(join(folder, file)) ? [""] : [];
  if (depth === 0) return found;
  for (const name of (await listFolder(folder)).toSorted()) {
    if (PRUNED.test(name) || !await isFolder(join(folder, name))) continue;
    const below = await foldersWith(join(folder, name), file, depth - 1);
    found.push(...below.map((path) => path === "" ? name : `${name}/${path}`));
  }
  return found;
}

/** A row of a table: texts, numbers, and null. */
export type TableRow = Readonly<Record<string, string | number | null>>;

/**
 * The rows of a table; none if it is not there.
 *
 * @param columns read these alone
 * @throws InputError when it is damaged or lacks a column
 */
export async function rowsOf(path: string, columns?: readonly string[]): Promise<TableRow[]> {
  if (!await isFile(path)) return [];
  const table = Object.entries(await readTable(path, columns));
  const rows = table[0]?.[1].length ?? 0;
  return Array.from(
    { length: rows },
    (_, i) => Object.fromEntries(table.map(([column, cells]) => [column, cellOf(cells[i])])),
  );
}

function cellOf(cell: unknown): string | number | null {
  if (typeof cell === "bigint") return Number(cell);
  return typeof cell === "string" || typeof cell === "number" ? cell : null;
}

/**
 * A JSON file of a form; undefined if it is not there.
 *
 * @throws InputError when it is damaged
 */
export async function jsonOf<S extends z.ZodType>(
  path: string,
  schema: S,
): Promise<z.infer<S> | undefined> {
  if (!await isFile(path)) return undefined;
  const parsed = schema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  const [{ path: place, message }] = parsed.error.issues;
  throw new InputError(
    `${path}: ${place.join(".") || "the file"}: ${message}; run the step that writes it again.`,
  );
}

/** A number of JSON, which writes NaN as null. */
export const Real = z.number().nullable().transform((value) => value ?? NaN);
