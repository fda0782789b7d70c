/** One run at a time in an output folder. */
import { join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { prepareFolder } from "./files.ts";
import { isAt } from "./file_lock.ts";

/** File whose lock claims a folder; it goes with the claim, unless the process is killed. */
export const CLAIM = ".babelscope.lock";

/**
 * Claims an output folder until disposed of; the system gives it back when the process ends, however
 * it ends. The folder is made, and known to be writable, before any work is done.
 *
 * @throws InputError when another run works in the folder, or it cannot be written
 */
export async function claimFolder(folder: string): Promise<Disposable> {
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
    if (await isAt(file, path)) return { [Symbol.dispose]: () => giveBack(file, path) };
    file.close();
  }
}

function giveBack(file: Deno.FsFile, path: string): void {
  Deno.removeSync(path);
  file.close();
}
