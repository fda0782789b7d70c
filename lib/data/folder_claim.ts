/** One run at a time in an output folder. */
import { dirname, join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { isAt } from "./file_lock.ts";
import { prepareFolder } from "./files.ts";
import { isFolder } from "./file_tree.ts";

/** File whose lock claims a folder; it goes with the claim, unless the process is killed. */
export const CLAIM = ".babelscope.lock";

/**
 * Claims an output folder until disposed of; the system gives it back when the process ends, however
 * it ends. The folder is made, and known to be writable, before any work is done; a folder that was
 * made for nothing goes again.
 *
 * @throws InputError when another run works in the folder, or it cannot be written
 */
export async function claimFolder(folder: string): Promise<Disposable> {
  // where looking is not allowed, neither is writing, which is what is told
  const made = await missingFolders(folder).catch(() => []);
  await prepareFolder(folder);
  const path = join(folder, CLAIM);
  for (;;) {
    const file = await Deno.open(path, { write: true, create: true });
    if (!await file.tryLock(true)) {
      file.close();
      throw new InputError(
        `Another run of babelscope works in ${folder}; wait for its end, or name another folder with --out-dir.`,
      );
    }
    // a holder that has just ended took its file away, and this may be a lock on that one
    if (await isAt(file, path)) return { [Symbol.dispose]: () => giveBack(file, path, made) };
    file.close();
  }
}

/** The folder and those it lies in, as far as they are not there; from the inside out. */
async function missingFolders(folder: string): Promise<string[]> {
  if (await isFolder(folder) || dirname(folder) === folder) return [];
  return [folder, ...await missingFolders(dirname(folder))];
}

function giveBack(file: Deno.FsFile, path: string, made: readonly string[]): void {
  Deno.removeSync(path);
  file.close();
  try {
    for (const folder of made) Deno.removeSync(folder);
  } catch {
    // it holds results
  }
}
