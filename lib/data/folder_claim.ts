/** One run at a time in an output folder. */
import { join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { prepareFolder } from "./files.ts";

/** File whose lock claims a folder; it stays behind, empty. */
export const CLAIM = ".babelscope.lock";

/**
 * Claims an output folder until disposed of; the system gives it back when the process ends, however
 * it ends. The folder is made, and known to be writable, before any work is done.
 *
 * @throws InputError when another run works in the folder, or it cannot be written
 */
export async function claimFolder(folder: string): Promise<Disposable> {
  await prepareFolder(folder);
  const file = await Deno.open(join(folder, CLAIM), { write: true, create: true });
  if (await file.tryLock(true)) return file;
  file.close();
  throw new InputError(
    `Another run of babelscope works in ${folder}; wait for its end, or name another folder with --out-dir.`,
  );
}
