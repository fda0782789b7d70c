/** Data sets that are named without a language: a folder, a file, or `owner/name` on the hub. */

import type { CorpusSource } from "./corpus_files.ts";
import { isFile, isFolder } from "./file_tree.ts";
import type { Hub } from "./hub/hub.ts";
import { parseRepoRef } from "./hub/repo.ts";
import { hubRowFiles } from "./hub_corpora.ts";
import { InputError } from "../formats/input_error.ts";
import { localFile, localRowFiles } from "./local_corpora.ts";
import { savedFiles } from "./saved_datasets.ts";
import { ROW_EXTENSIONS, type RowFile } from "./row_files.ts";

/** A split of a data set. */
export interface DataSetName {
  /** A folder, a file of rows, or `owner/name`, maybe `@revision`, on the hub. */
  readonly name: string;
  /** Configuration; "default" if not given. */
  readonly subset?: string;
  readonly split: string;
}

/** Its files, in the order of their rows. */
export interface DataSetFiles {
  readonly source: CorpusSource;
  readonly files: readonly RowFile[];
}

/**
 * The files of a data set's split.
 *
 * @throws InputError when there is no such data set, configuration or split
 */
export async function openDataSet(
  { name, subset, split }: DataSetName,
  hub: () => Hub,
): Promise<DataSetFiles> {
  const part = { configs: [subset ?? "default"], split, labelled: false };
  if (await isFolder(name)) {
    const saved = await savedFiles(name, split);
    const files = saved?.map(localFile) ?? await localRowFiles(name, part);
    return { files, source: { name, files: files.map(({ where }) => where) } };
  }
  if (await isFile(name)) {
    if (ROW_EXTENSIONS.some((extension) => name.endsWith(`.${extension}`))) {
      return { files: [localFile(name)], source: { name, files: [name] } };
    }
    throw new InputError(
      `${name} is no data to train on, expected a file that ends with .${
        ROW_EXTENSIONS.join(", .")
      }, .bin or .safetensors; convert it.`,
    );
  }
  const ref = parseRepoRef(name, "dataset");
  if (!ref) {
    throw new InputError(
      `There is no data set ${
        JSON.stringify(name)
      }, expected a folder or a file that can be read, ` +
        `or owner/name on the hub; check the path.`,
    );
  }
  const { commit, files, rows } = await hubRowFiles(hub(), ref, part);
  return { files: rows, source: { name, commit, files } };
}
