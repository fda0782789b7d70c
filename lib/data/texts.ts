/** Rows → texts: the range of rows that a data set names, by their prompt. */

import type { CorpusCompatibility } from "./dataset_configs.ts";
import type { Prompt } from "./prompts.ts";
import { readRows, type RowFile } from "./row_files.ts";

/** Which rows, and what their texts are. */
export interface TextsQuery extends CorpusCompatibility {
  readonly prompt: Prompt;
  /** First row, from 0; rows of the label alone, where there is one. */
  readonly start: number;
  /** One past the last; Infinity for all, past the end is clipped. */
  readonly end: number;
  /** Rows whose cell of `column` is one of `values`. */
  readonly label?: { readonly column: string; readonly values: readonly string[] };
}

/** Texts of consecutive rows. */
export interface TextRows {
  /** Of row `start` on; null for a row without a text. */
  readonly texts: readonly (string | null)[];
  /** Rows that there are, if the end was seen; else undefined. */
  readonly size?: number;
}

/** The texts of the rows asked for. A row that is blank, or lacks a cell, has none. */
export async function readTexts(
  files: readonly RowFile[],
  query: TextsQuery,
): Promise<TextRows> {
  const rows = streamTexts(files, query);
  const texts: (string | null)[] = [];
  let next = await rows.next();
  for (; !next.done; next = await rows.next()) texts.push(next.value);
  return next.value === undefined ? { texts } : { texts, size: next.value };
}

/**
 * The same texts, one after the other: no more of the files is held than a row group.
 *
 * @returns rows that there are, if the end was seen; else undefined
 */
export async function* streamTexts(
  files: readonly RowFile[],
  { prompt, start, end, label }: TextsQuery,
): AsyncGenerator<string | null, number | undefined> {
  const columns = [...prompt.columns, ...(label ? [label.column] : [])];
  // rows of one label are found only by looking at all
  const range = label ? { begin: 0, end: Infinity } : { begin: start, end };
  const rows = readRows(files, { columns, ...range, label: label?.column });
  let given = 0;
  let labelled = 0;
  try {
    let next = await rows.next();
    for (; !next.done; next = await rows.next()) {
      const { cells, where } = next.value;
      if (label && !label.values.includes(String(cells.at(-1)))) continue;
      if (!label || labelled++ >= start) {
        yield prompt.render(cells, where) ?? null;
        given++;
      }
      if (start + given >= end) return undefined;
    }
    return label ? labelled : next.value;
  } finally {
    await rows.return(0);
  }
}
