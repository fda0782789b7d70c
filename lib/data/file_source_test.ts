import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../../tests/support/run.ts";
import { memorySource } from "../formats/byte_source.ts";
import { InputError } from "../formats/input_error.ts";
import { openFileSource } from "./file_source.ts";

Deno.test("a file and its bytes in memory are the same source, also for reads at one time", () =>
  withFolder(async (folder) => {
    const path = join(folder, "bytes");
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
    await Deno.writeFile(path, bytes);
    using file = await openFileSource(path);
    const memory = memorySource(bytes);
    assert.equal(file.size, memory.size);
    const ranges = [[0, 1000], [999, 1000], [7, 7], [1000, 1000], [300, 512]];
    for (const source of [file, memory]) {
      const read = await Promise.all(ranges.map(([begin, end]) => source.read(begin, end)));
      assert.deepEqual(read, ranges.map(([begin, end]) => bytes.slice(begin, end)));
    }
  }));

Deno.test("ranges outside a source are refused", () =>
  withFolder(async (folder) => {
    const path = join(folder, "bytes");
    await Deno.writeFile(path, new Uint8Array(10));
    using file = await openFileSource(path);
    for (const source of [file, memorySource(new Uint8Array(10))]) {
      for (const [begin, end] of [[-1, 3], [4, 3], [0, 11], [0.5, 3], [0, NaN], [0, 2 ** 60]]) {
        await assert.rejects(source.read(begin, end), RangeError);
      }
    }
  }));

Deno.test("a copy in memory is not the source's own bytes", async () => {
  const bytes = new Uint8Array(4);
  const read = await memorySource(bytes).read(0, 4);
  read[0] = 1;
  assert.equal(bytes[0], 0);
});

Deno.test("what cannot be opened, and a file that became shorter, are said in a sentence", () =>
  withFolder(async (folder) => {
    await assert.rejects(openFileSource(join(folder, "no")), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /^Cannot read .*no: it does not exist; check the path\.$/);
      return true;
    });
    await assert.rejects(openFileSource(folder), /it is a folder/);
    const path = join(folder, "bytes");
    await Deno.writeFile(path, new Uint8Array(10));
    using file = await openFileSource(path);
    await Deno.truncate(path, 5);
    await assert.rejects(file.read(0, 10), InputError);
    assert.equal((await file.read(0, 5)).length, 5);
  }));
