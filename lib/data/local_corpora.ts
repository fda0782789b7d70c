/** Data sets in local folders and files. */

import { join } from "node:path";
import { type DataSetPart, findDataFiles } from "./data_files.ts";
import type { CorpusSpec } from "./dataset_configs.ts";
import { openFileSource } from "./file_source.ts";
import { openFileTree } from "./file_tree.ts";
import { readText } from "./files.ts";
import { declaredConfigs } from "./front_matter.ts";
import { spellingsOf } from "./languages.ts";
import type { PaperDataset } from "./paper_datasets.ts";
import type { RowFile } from "./row_files.ts";

/** The README whose front matter may say which files are whose. */
export const README = "README.md";

/**
 * Files of a folder that hold the rows of a language: `<lang>.jsonl` and the like, in it or in a
 * folder for the split, or those of a data set of the hub as it lies there.
 *
 * @throws InputError when there are none, saying what there is
 */
export async function localFiles(
  { name, lang, config, split }: CorpusSpec,
  paper: PaperDataset | undefined,
): Promise<RowFile[]> {
  return await localRowFiles(name, {
    // in a folder of one's own, eng.txt and en.txt are two files
    configs: config !== undefined ? [config] : paper ? spellingsOf(lang) : [lang],
    split: split ?? "train",
    labelled: paper?.label !== undefined,
  });
}

/**
 * The files of a folder that hold a part of the data set in it.
 *
 * @throws InputError when there are none, saying what there is
 */
export async function localRowFiles(folder: string, part: DataSetPart): Promise<RowFile[]> {
  const { paths } = await openFileTree(folder, "dataset", () => {
    throw new TypeError("a folder needs no hub");
  });
  const readme = paths.includes(README) ? await readText(join(folder, README)) : "";
  const found = findDataFiles({
    paths,
    declared: declaredConfigs(readme),
    ...part,
    formats: "one",
    where: `The corpus ${folder}`,
  });
  return found.map((path) => localFile(join(folder, path)));
}

/** A local file of rows. */
export function localFile(path: string): RowFile {
  return { where: path, open: () => openFileSource(path) };
}
