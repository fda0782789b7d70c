/** Data of every kind → rows, against what Python makes of it, and stopped at every shard. */
import assert from "node:assert/strict";
import { join } from "node:path";
import lists from "../../tests/fixtures/train_data/lists.json" with { type: "json" };
import packed from "../../tests/fixtures/train_data/packed.json" with { type: "json" };
import { filesUnder, hashesOf, writeCorpus } from "../../tests/support/folders.ts";
import { refuses } from "../../tests/support/refusals.ts";
import { ROOT, withFolder } from "../../tests/support/run.ts";
import type { TokenRows } from "../data/token_rows.ts";
import { userAccess } from "../subject/access.ts";
import { openModelTokenizer } from "../subject/open_tokenizer.ts";
import { openTrainingRows, type TrainingDataOptions } from "./open_rows.ts";
import { pretokenise, type PretokeniseOptions } from "./pretokenise.ts";
import { openTokenSource } from "./token_source.ts";

const FIXTURES = join(ROOT, "tests/fixtures/train_data");
const DOCUMENTS = join(FIXTURES, "documents.jsonl");
const access = userAccess();
const demo = await openModelTokenizer(undefined, access);

const base: TrainingDataOptions = { split: "train", contextLength: 16, processes: 1 };

async function rowsOf(rows: TokenRows): Promise<number[][]> {
  const numbers = Array.from({ length: rows.rows }, (_, i) => i);
  const ids = [...await rows.read(numbers)];
  return numbers.map((row) => ids.slice(row * rows.contextLength, (row + 1) * rows.contextLength));
}

async function opened(folder: string, options: Partial<TrainingDataOptions>): Promise<number[][]> {
  const all = { ...base, ...options };
  using rows = await openTrainingRows(all, { ...demo, vocabularySize: 2 ** 20 }, access, folder);
  return await rowsOf(rows);
}

/** All rows that transformers makes of the documents, those of one batch in a list. */
const golden = (length: number, batch: number) =>
  packed.find((one) => one.length === length && one.batch === batch)!.batches;

Deno.test("texts: as published every batch loses its last row, by default none is lost", () =>
  withFolder(async (folder) => {
    for (const length of [16, 33, 512]) {
      const [rows] = golden(length, 46);
      const options = { dataset: DOCUMENTS, contextLength: length };
      const paper = await opened(`${folder}/paper${length}`, { ...options, compat: "paper" });
      assert.deepEqual(paper, rows.slice(0, -1));
      const all = await opened(`${folder}/all${length}`, options);
      assert.deepEqual(all, rows.filter((row) => row.length === length));
    }
  }));

Deno.test("the published program's rows depend on its processes, ours do not", () =>
  withFolder(async (folder) => {
    // 46 documents over 7 processes: shards of 7, 7, 7, 7, 6, 6, 6; the first four are golden
    const processes = 7;
    const options = { dataset: DOCUMENTS, processes };
    const paper = await opened(`${folder}/paper`, { ...options, compat: "paper" });
    const first = golden(16, 7).slice(0, 4).flatMap((rows) => rows.slice(0, -1));
    assert.deepEqual(paper.slice(0, first.length), first);
    const one = await opened(`${folder}/one`, { dataset: DOCUMENTS });
    assert.deepEqual(await opened(`${folder}/many`, options), one);
  }));

for (const form of ["plain", "dictionary", "v2", "fixed"]) {
  Deno.test(`lists of ids are rows as they are: ${form}`, () =>
    withFolder(async (folder) => {
      const dataset = join(FIXTURES, `lists_${form}.parquet`);
      assert.deepEqual(await opened(join(folder, "rows"), { dataset }), lists);
    }));
}

Deno.test("lists of ids in JSON lines, over several files of a folder", () =>
  withFolder(async (folder) => {
    const line = (ids: unknown) => `${JSON.stringify({ input_ids: ids })}\n`;
    await Deno.writeTextFile(
      join(folder, "train-00000-of-00002.jsonl"),
      line([1, 2]) + line([3, 4]),
    );
    await Deno.writeTextFile(join(folder, "train-00001-of-00002.jsonl"), line([5, 70000]));
    const data = { dataset: folder };
    assert.deepEqual(await opened(join(folder, "rows"), data), [[1, 2], [3, 4], [5, 70000]]);
    const second = join(folder, "train-00001-of-00002.jsonl");
    for (
      const [ids, why] of [
        [[5], /Row 2 of the data has 1 token ids, but the first has 2/],
        [[5, -1], /line 1 has -1 in input_ids/],
        [[5, 2 ** 20], /token 1048576, but the model's vocabulary has 1048576/],
        [[], /no list of token ids/],
        ["5", /no list of token ids/],
      ] as const
    ) {
      await Deno.writeTextFile(second, line(ids));
      await refuses(() => opened(join(folder, "other"), data), why);
    }
  }));

Deno.test("each language has rows of its own, in the order of the first naming", () =>
  withFolder(async (folder) => {
    const texts = join(folder, "texts");
    await writeCorpus(texts, {
      en: ["All human beings are born free and equal in dignity and rights.", "Everyone is free."],
      de: ["Alle Menschen sind frei und gleich an Würde und Rechten geboren."],
    });
    const configs = [`${texts}:{de,en:train:0:1,en:train:1:2}`];
    const options = { ...base, contextLength: 8, datasetConfigs: configs };
    using rows = await openTrainingRows(options, demo, access, join(folder, "rows"));
    assert.deepEqual(rows.parts.map(({ language }) => language), ["German", "English"]);
    const bos = demo.tokenizer.bosId;
    const [german, english] = [0, rows.parts[0].rows];
    for (const [row, text] of [[german, "Alle"], [english, "All human"]] as const) {
      const [ids] = [await rows.read([row])];
      assert.deepEqual([...ids].slice(0, 2), [bos, 8191]);
      assert.ok(demo.tokenizer.decode(ids.slice(2)).startsWith(text));
    }
    const paper = { ...options, compat: "paper" as const };
    using one = await openTrainingRows(paper, demo, access, join(folder, "paper"));
    assert.deepEqual(one.parts.map(({ language }) => language), [undefined]);
  }));

Deno.test("a language that fills no row is refused by name", () =>
  withFolder(async (folder) => {
    const texts = join(folder, "texts");
    await writeCorpus(texts, { en: ["word ".repeat(100)], th: ["x"] });
    const datasetConfigs = [`${texts}:{en,th}`];
    await refuses(
      () => opened(join(folder, "rows"), { datasetConfigs }),
      /texts in Thai have 2 tokens, which fill no row of 15/,
    );
    await refuses(
      () => opened(join(folder, "paper"), { datasetConfigs: [`${texts}:th`], compat: "paper" }),
      /A batch of 1 texts has 2 tokens, which the published program drops/,
    );
  }));

Deno.test("work that is stopped after any shard ends in the same bytes", () =>
  withFolder(async (folder) => {
    for (const compat of ["paper", undefined] as const) {
      const source = await openTokenSource({ dataset: DOCUMENTS, split: "train", compat }, access);
      const options: PretokeniseOptions = {
        contextLength: 16,
        batchSize: 9,
        processes: 2,
        mapped: "partitions",
        name: "train",
        compat,
      };
      const whole = join(folder, `${compat} whole`);
      let shards = 0;
      const done = await pretokenise(source, demo, options, whole, () => shards++);
      assert.equal(shards, 6);
      const expected = await hashesOf(whole);
      for (let stop = 1; stop <= shards; stop++) {
        const again = join(folder, `${compat} ${stop}`);
        let left = stop;
        const stopped = pretokenise(source, demo, options, again, () => {
          if (--left === 0) throw new Error("stopped");
        });
        await assert.rejects(stopped, /stopped/);
        assert.ok(!(await filesUnder(again)).includes("pretokenized.json"));
        assert.deepEqual(await pretokenise(source, demo, options, again), done);
        assert.deepEqual(await hashesOf(again), expected, `stopped after ${stop}`);
      }
      assert.deepEqual(await pretokenise(source, demo, options, whole, () => assert.fail()), done);
      // other work in the same folder leaves none of the first
      await pretokenise(source, demo, { ...options, batchSize: 46, name: "all" }, whole);
      assert.deepEqual(await filesUnder(whole), [
        "pretokenized.json",
        "pretokenized_all_000000.safetensors",
      ]);
    }
  }));

Deno.test("a folder whose shard was changed is refused", () =>
  withFolder(async (folder) => {
    await opened(folder, { dataset: DOCUMENTS });
    const [shard] = (await filesUnder(folder)).filter((name) => name.endsWith(".safetensors"));
    const path = join(folder, shard);
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1] ^= 1;
    await Deno.writeFile(path, bytes);
    await refuses(
      () => opened(folder, { dataset: folder }),
      /is not the file that pretokenized\.json/,
    );
    await Deno.remove(path);
    await refuses(() => opened(folder, { dataset: folder }), /does not exist/);
  }));

Deno.test("data that cannot be had is refused in a sentence", () =>
  withFolder(async (folder) => {
    const cases: [Partial<TrainingDataOptions>, RegExp][] = [
      [{}, /No data set is named/],
      [{ dataset: "nowhere" }, /There is no data set "nowhere"/],
      [{ dataset: DOCUMENTS, datasetConfigs: ["udhr:en"] }, /expected one of them/],
      [{ datasetConfigs: ["udhr:en"], subset: "x" }, /as name:x=en\.$/],
      [{ dataset: DOCUMENTS, textColumn: "a", promptTemplate: "{b}" }, /expected one of them/],
      [{ dataset: DOCUMENTS, textColumn: "body" }, /has no "body" but text/],
      [{ dataset: join(ROOT, "deno.lock") }, /no data to train on, expected a file that ends/],
      [{ dataset: join(FIXTURES, "refused_null.parquet") }, /a list that is empty, or lacks/],
      [{ dataset: folder }, /has no rows for default/],
    ];
    for (const [options, why] of cases) {
      await refuses(() => opened(join(folder, "rows"), options), why);
    }
  }));
