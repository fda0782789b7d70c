import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { withFolder } from "../../tests/support/run.ts";
import { FileHasher } from "./file_hashes.ts";

const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

function memoryStore() {
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    values,
    get: (key: string) => Promise.resolve(values.get(key)),
    set(key: string, bytes: Uint8Array<ArrayBuffer>) {
      values.set(key, bytes);
      return Promise.resolve();
    },
  };
}

Deno.test("file hashes: a settled file is read once, a changed one again", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "weights");
    const store = memoryStore();
    await Deno.writeTextFile(path, "abc");
    assert.equal(await new FileHasher(store).sha256(path), ABC);
    assert.equal(store.values.size, 0, "a file changed a moment ago may change again unnoticed");
    const later = new FileHasher(store, () => Date.now() + 10_000);
    assert.equal(await later.sha256(path), ABC);
    const [key] = store.values.keys();
    store.values.set(key, new TextEncoder().encode("remembered"));
    assert.equal(await later.sha256(path), "remembered");
    await Deno.writeTextFile(path, "abcd");
    assert.equal((await later.sha256(path)).slice(0, 8), "88d4266f");
  });
});

Deno.test("file hashes: a missing file is named", async () => {
  await assert.rejects(
    () => new FileHasher().sha256("no/such/file"),
    (error) => error instanceof InputError && error.message.includes("no/such/file"),
  );
});
