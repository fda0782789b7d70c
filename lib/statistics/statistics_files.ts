/** The files of statistics: a summary and a list of occurrences per hookpoint, and what they are of. */
import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { isFile } from "../data/file_tree.ts";
import { readJson, writeAtomic } from "../data/files.ts";
import { writeManifest } from "../data/manifest.ts";
import { writeParquet, writeTable } from "../data/tables.ts";
import { InputError } from "../formats/input_error.ts";
import type { OccurrencesByUnit } from "./by_unit.ts";
import { pythonFloat, roundToThree } from "./python_numbers.ts";
import type { UnitSummary } from "./summary.ts";

/** Where the statistics of a language go, within the folder of the data set; without an extension. */
export function summaryPath(folder: string, hookpoint: string, lang: string): string {
  return join(folder, "summary", hookpoint, lang);
}

/** The same of its occurrences. */
export function occurrencesPath(folder: string, hookpoint: string, lang: string): string {
  return join(folder, "dataset_token_activations", hookpoint, lang);
}

/**
 * Writes summaries as `.csv` and `.parquet`, with the original's columns.
 *
 * @param paper rounds to three decimals as published
 */
export async function writeSummary(
  path: string,
  summaries: readonly UnitSummary[],
  { lang, hookpoint, paper }: { lang: string; hookpoint: string; paper: boolean },
): Promise<void> {
  const column = (valueOf: (summary: UnitSummary) => number) =>
    summaries.map((summary) => paper ? roundToThree(valueOf(summary)) : valueOf(summary));
  await writeTable(path, {
    index: summaries.map(({ index }) => index),
    count: summaries.map(({ count }) => count),
    avg: column(({ avg }) => avg),
    q1: column(({ q1 }) => q1),
    median: column(({ median }) => median),
    q3: column(({ q3 }) => q3),
    min_active: column(({ minActive }) => minActive),
    max_active: column(({ maxActive }) => maxActive),
    std: column(({ std }) => std),
    lang: summaries.map(() => lang),
    layer: summaries.map(() => hookpoint),
  });
}

/**
 * Writes occurrences as Parquet: index, row, token UInt32, activation Float32.
 *
 * @param rows row of each text
 */
export async function writeOccurrences(
  path: string,
  { starts, texts, tokens, values }: OccurrencesByUnit,
  rows: Uint32Array,
): Promise<void> {
  const index = new Uint32Array(values.length);
  for (let unit = 0; unit + 1 < starts.length; unit++) {
    index.fill(unit, starts[unit], starts[unit + 1]);
  }
  await writeParquet(path, {
    index,
    row: texts.map((text) => rows[text]),
    token: tokens,
    activation: values,
  });
}

/** Writes occurrences as published: a CSV with a Python list of (row, token, activation) per unit. */
export async function writePaperOccurrences(
  path: string,
  { starts, texts, tokens, values }: OccurrencesByUnit,
  rows: Uint32Array,
): Promise<void> {
  const lines = ["index,count,dataset_row_id_token_id_act_val\n"];
  for (let unit = 0; unit + 1 < starts.length; unit++) {
    const count = starts[unit + 1] - starts[unit];
    if (count === 0) continue;
    const list = Array.from({ length: count }, (_, i) => {
      const at = starts[unit] + i;
      return `(${rows[texts[at]]}, ${tokens[at]}, ${pythonFloat(roundToThree(values[at]))})`;
    });
    lines.push(`${unit},${count},"[${list.join(", ")}]"\n`);
  }
  await writeAtomic(path, lines.join(""));
}

/** What is written once the files of a hookpoint and language are: it says what they are of. */
const recordSchema = z.object({
  /** JSON of what the statistics depend on. */
  identity: z.string(),
  examples: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  occurrences: z.int().nonnegative(),
  adapter: z.string(),
  /** Relative to the folder of the data set. */
  files: z.array(z.string()),
});

/** The record of a data set, language and hookpoint. */
export type StatisticsRecord = z.infer<typeof recordSchema>;

/** Path of a record within the folder of the data set. */
function recordPath(folder: string, hookpoint: string, lang: string): string {
  return join(folder, "records", hookpoint, `${lang}.json`);
}

/**
 * The record of a hookpoint and language, if it says that exactly this is there, and all files that it
 * names are.
 *
 * @param folder of the data set
 */
export async function readRecord(
  folder: string,
  hookpoint: string,
  lang: string,
  identity: string,
): Promise<StatisticsRecord | undefined> {
  const record = await recordThere(recordPath(folder, hookpoint, lang));
  if (record?.identity !== identity) return undefined;
  for (const file of record.files) if (!await isFile(join(folder, file))) return undefined;
  return record;
}

/** Takes a record away, with the files that it names: others are to take their place. */
export async function removeRecord(
  folder: string,
  hookpoint: string,
  lang: string,
): Promise<void> {
  const path = recordPath(folder, hookpoint, lang);
  const record = await recordThere(path);
  await rm(path, { force: true });
  for (const file of record?.files ?? []) await rm(join(folder, file), { force: true });
}

/**
 * Writes a record.
 *
 * @param record its files as paths
 */
export async function writeRecord(
  folder: string,
  hookpoint: string,
  lang: string,
  record: StatisticsRecord,
): Promise<void> {
  const files = record.files.map((file) => relative(folder, file));
  await writeManifest(recordPath(folder, hookpoint, lang), { ...record, files });
}

/** Undefined where there is none, or a damaged one. */
async function recordThere(path: string): Promise<StatisticsRecord | undefined> {
  if (!await isFile(path)) return undefined;
  try {
    return recordSchema.safeParse(await readJson(path)).data;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
