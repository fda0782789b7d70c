import assert from "node:assert/strict";
import { join } from "node:path";
import { type HubRepo, startHubServer } from "../../tests/support/hub_server.ts";
import { refuses } from "../../tests/support/refusals.ts";
import { withFolder } from "../../tests/support/run.ts";
import { openDataSet } from "./data_sets.ts";
import { FileHasher } from "./file_hashes.ts";
import { Hub } from "./hub/hub.ts";
import { fileTexts } from "./text_sources.ts";
import { hasTokenLists, readTokenLists } from "./token_lists.ts";

const LISTS = await Deno.readFile(
  new URL("../../tests/fixtures/train_data/lists_dictionary.parquet", import.meta.url),
);
const REPOS: HubRepo[] = [
  {
    kind: "dataset",
    id: "own/texts",
    files: {
      ".gitattributes": "",
      "data/train.csv": "id,body\n1,one\n2,two\n3,\n",
      "data/test.txt": "three\nfour\n",
      "de/train.jsonl": '{"body":"eins"}\n',
    },
  },
  {
    kind: "dataset",
    id: "own/tokens",
    files: { ".gitattributes": "", "data/train-00000-of-00001.parquet": LISTS },
  },
];

async function onHub(body: (hub: () => Hub) => Promise<void>): Promise<void> {
  await using server = startHubServer({ repos: REPOS });
  await withFolder(async (cache) => {
    const hub = new Hub({ endpoint: server.url, cache, offline: false });
    await body(() => hub);
  });
}

const noHub = () => assert.fail("the hub is not needed");
const hasher = new FileHasher();

Deno.test("texts of the hub: split, configuration and column", () =>
  onHub(async (hub) => {
    const texts = async (split: string, textColumn: string, subset?: string, begin = 0) => {
      const { files, source } = await openDataSet({ name: "own/texts", split, subset }, hub);
      const found = await fileTexts(files, source, { textColumn, hasher });
      return await Array.fromAsync(found.read(begin));
    };
    assert.deepEqual(await texts("train", "body"), ["one", "two", null]);
    assert.deepEqual(await texts("train", "body", undefined, 1), ["two", null]);
    assert.deepEqual(await texts("test", "text"), ["three", "four"]);
    assert.deepEqual(await texts("train", "body", "de"), ["eins"]);
    await refuses(() => texts("dev", "body"), /no rows for default in the split "dev"/);
    await refuses(() => texts("train", "text"), /name the one with the texts with --text-column/);
  }));

Deno.test("token ids of the hub", () =>
  onHub(async (hub) => {
    const { files, source } = await openDataSet({ name: "own/tokens", split: "train" }, hub);
    assert.match(source.commit ?? "", /^[0-9a-f]{40}$/);
    assert.equal(await hasTokenLists(files[0]), true);
    const lists = await Array.fromAsync(readTokenLists(files, 48));
    assert.deepEqual(lists.map(({ length }) => length), [24, 24]);
  }));

Deno.test("which files have token ids", () =>
  withFolder(async (folder) => {
    const cases = {
      "a.jsonl": ['{"input_ids":[1]}\n', true],
      "b.jsonl": ['\n{"text":"input_ids"}\n', false],
      "c.jsonl": ["no json\n", false],
      "d.jsonl": ["", false],
      "e.txt": ['{"input_ids":[1]}\n', false],
    } as const;
    for (const [name, [content, expected]] of Object.entries(cases)) {
      const path = join(folder, name);
      await Deno.writeTextFile(path, content);
      const { files } = await openDataSet({ name: path, split: "train" }, noHub);
      assert.equal(await hasTokenLists(files[0]), expected, name);
    }
  }));

Deno.test("what decides local texts is what their files hold", () =>
  withFolder(async (folder) => {
    const path = join(folder, "train.txt");
    const identity = async () => {
      const { files, source } = await openDataSet({ name: folder, split: "train" }, noHub);
      return JSON.stringify((await fileTexts(files, source, { hasher })).identity);
    };
    await Deno.writeTextFile(path, "one\n");
    const first = await identity();
    assert.equal(await identity(), first);
    await Deno.writeTextFile(path, "two\n");
    assert.notEqual(await identity(), first);
  }));
