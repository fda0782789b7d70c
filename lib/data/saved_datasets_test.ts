import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { refuses } from "../../tests/support/refusals.ts";
import { withFolder } from "../../tests/support/run.ts";
import { openDataSet } from "./data_sets.ts";
import { readRows, type RowQuery } from "./row_files.ts";
import { savedFiles } from "./saved_datasets.ts";
import { hasTokenLists, readTokenLists } from "./token_lists.ts";

/** Folders that tests/fixtures/saved_datasets/make_saved.py wrote. */
const SAVED = fileURLToPath(new URL("../../tests/fixtures/saved_datasets/", import.meta.url));

const noHub = () => assert.fail("the hub is not needed");

async function rows(query: RowQuery): Promise<unknown[]> {
  const { files } = await openDataSet({ name: join(SAVED, "texts"), split: "train" }, noHub);
  return (await Array.fromAsync(readRows(files, query))).map(({ cells }) => cells);
}

Deno.test("save_to_disk: rows of several files, from any to any; classes by name", async () => {
  const columns = ["language", "text", "number"];
  const all = await rows({ columns, begin: 0, end: Infinity, label: "language" });
  assert.deepEqual(all, [
    ["en", "Alle Menschen", 1],
    ["th", "ทุกคน", 2],
    ["en", "a", 3],
    ["th", "", 4],
    ["th", "ü".repeat(300), null],
  ]);
  for (const [begin, end] of [[0, 1], [2, 4], [3, 5], [4, 9], [5, 9]]) {
    const some = await rows({ columns, begin, end, label: "language" });
    assert.deepEqual(some, all.slice(begin, end), `${begin} to ${end}`);
  }
  await refuses(
    () => rows({ columns: ["body"], begin: 0, end: 1 }),
    /has no column "body" but text, number, language/,
  );
});

Deno.test("save_to_disk: lists of token ids of a split", async () => {
  const { files } = await openDataSet({ name: join(SAVED, "ids"), split: "train" }, noHub);
  assert.ok(await hasTokenLists(files[0]));
  const lists = await Array.fromAsync(readTokenLists(files, 1));
  assert.deepEqual(lists, [Uint32Array.of(5, 6, 7, 70000)]);
  await refuses(() => savedFiles(join(SAVED, "ids"), "test"), /no split "test", expected one of/);
});

Deno.test("save_to_disk: damaged files, and names that lead elsewhere, are refused", async () => {
  const [own] = (await savedFiles(join(SAVED, "texts"), "train"))!;
  const bytes = await Deno.readFile(own);
  await withFolder(async (folder) => {
    const path = join(folder, "part.arrow");
    const state = (filename: string) =>
      Deno.writeTextFile(
        join(folder, "state.json"),
        JSON.stringify({ _data_files: [{ filename }] }),
      );
    await state("part.arrow");
    const damaged = [
      new Uint8Array(0),
      new TextEncoder().encode("not a stream at all"),
      // After the schema, and after its batch.
      ...[300, 472, 888].map((length) => bytes.subarray(0, length)),
      bytes.map((byte, i) => i > 8 && i < 200 ? 255 - byte : byte),
    ];
    for (const content of damaged) {
      await Deno.writeFile(path, content);
      const { files } = await openDataSet({ name: folder, split: "train" }, noHub);
      const query = { columns: ["text"], begin: 0, end: Infinity };
      await refuses(() => Array.fromAsync(readRows(files, query)), /part\.arrow/);
    }
    await state("../part.arrow");
    await refuses(() => savedFiles(folder, "train"), /is not what save_to_disk writes/);
  });
});
