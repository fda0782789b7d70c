/** Folders that Python's `Dataset.save_to_disk` wrote. */

import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import { isFile } from "./file_tree.ts";
import { readJson } from "./files.ts";

/** What a folder says of its splits, and of its files. */
const SPLITS = "dataset_dict.json";
const STATE = "state.json";

const Splits = z.looseObject({ splits: z.array(z.string()) });
/** File names, never paths. */
const State = z.looseObject({
  _data_files: z.array(z.looseObject({ filename: z.string().regex(/^[^/\\]+\.arrow$/) })),
});

/**
 * The files of a split, in the order of their rows; undefined for a folder that `save_to_disk` did not
 * write. A folder of one data set has no splits: it is all there is.
 *
 * @throws InputError for a split that is not there, and for a damaged folder
 */
export async function savedFiles(folder: string, split: string): Promise<string[] | undefined> {
  if (await isFile(join(folder, SPLITS))) {
    const { splits } = await read(join(folder, SPLITS), Splits);
    if (!splits.includes(split)) {
      throw new InputError(
        `${folder} has no split ${JSON.stringify(split)}, expected one of ${splits.join(", ")}.`,
      );
    }
    return await filesOf(join(folder, split));
  }
  return await isFile(join(folder, STATE)) ? await filesOf(folder) : undefined;
}

async function filesOf(folder: string): Promise<string[]> {
  const { _data_files: files } = await read(join(folder, STATE), State);
  return files.map(({ filename }) => join(folder, filename));
}

async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  throw new InputError(`${path} is not what save_to_disk writes; write the data set anew.`);
}
