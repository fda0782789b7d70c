/** Files of an identification: our lape.json, or the original's lape_all.pt. */

import { InputError } from "../formats/input_error.ts";
import { readTorchFile } from "../formats/torch_file.ts";
import { isZip } from "../formats/zip_directory.ts";
import { fromLapeJson, type LapeResult } from "../lape/lape_json.ts";
import { fromLapePt } from "../lape/lape_pt.ts";
import { openFileSource } from "./file_source.ts";
import { readJson } from "./files.ts";

/** Longest lape.json that is read, in bytes: the longest text that fits one string. */
const MAX_JSON_BYTES = 512 * 10 ** 6;

/**
 * The identification that a file holds, by its content: a lape.json of the identify step, or a
 * lape_all.pt as the original publishes it.
 *
 * @throws InputError when it cannot be read or is neither
 */
export async function readLapeFile(path: string): Promise<LapeResult> {
  using file = await openFileSource(path);
  const start = await file.read(0, Math.min(64, file.size));
  if (isZip(start)) return await fromLapePt(await readTorchFile(file, path), path);
  const isObject = new TextDecoder().decode(start).trimStart().startsWith("{");
  if (isObject && file.size <= MAX_JSON_BYTES) return fromLapeJson(await readJson(path), path);
  throw new InputError(
    `${path} is neither a lape.json nor a lape_all.pt; name a file of the identify step.`,
  );
}
