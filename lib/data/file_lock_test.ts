import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../../tests/support/run.ts";
import { takeLock } from "./file_lock.ts";

/** Whether somebody holds the lock of the file at `path` now. */
async function isHeld(path: string): Promise<boolean> {
  using file = await Deno.open(path, { read: true, write: true });
  return !(await file.tryLock(true));
}

Deno.test("a lock is held by one, until it is given back", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a", "lock");
    const first = await takeLock(path);
    let order = "first";
    const second = takeLock(path).then((lock) => {
      order += " second";
      return lock;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    order += " gives back";
    first[Symbol.dispose]();
    const lock = await second;
    assert.equal(order, "first gives back second");
    assert.equal(await isHeld(path), true);
    lock[Symbol.dispose]();
    assert.equal(await isHeld(path), false);
  });
});

Deno.test("a lock file that its holder removes is no lock any more: the next takes a new one", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "lock");
    const first = await takeLock(path);
    const second = takeLock(path);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Deno.remove(path);
    first[Symbol.dispose]();
    const lock = await second;
    assert.equal(await isHeld(path), true);
    lock[Symbol.dispose]();
  });
});
