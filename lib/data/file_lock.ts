/** Locks between processes, as Python's huggingface_hub takes them: flock on a file that may stay. */

import { dirname } from "node:path";

/**
 * Waits until no other process, or other part of this one, holds the lock, and takes it. Dispose
 * (or `using`) gives it back; the system does when the process ends, however it ends.
 */
export async function takeLock(path: string): Promise<Disposable> {
  await Deno.mkdir(dirname(path), { recursive: true });
  for (;;) {
    const file = await Deno.open(path, { read: true, write: true, create: true });
    try {
      await file.lock(true);
      if (await isAt(file, path)) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

/** Whether the open file is still the one at the path: its holder may have removed it meanwhile. */
export async function isAt(file: Deno.FsFile, path: string): Promise<boolean> {
  const held = await file.stat();
  try {
    const there = await Deno.stat(path);
    return there.ino === held.ino && there.dev === held.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
