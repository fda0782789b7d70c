import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { type DataFilesQuery, findDataFiles } from "./data_files.ts";

const find = (paths: string[], configs: string[], split = "train", more = {}) =>
  findDataFiles(
    {
      paths,
      configs,
      split,
      declared: [],
      labelled: false,
      formats: "several",
      where: "The data set x",
      ...more,
    } satisfies DataFilesQuery,
  );

Deno.test("files lie where the hub's conventions have them", () => {
  const layouts = [
    ["en/train-00000-of-00001.parquet", "de/train-00000-of-00001.parquet"],
    ["train/en.parquet", "train/de.parquet", "dev/en.parquet"],
    ["data/en/train.jsonl", "data/en/test.jsonl", "data/de/train.jsonl"],
    ["en/train/0000.parquet", "de/train/0000.parquet"],
    ["en/partial-train/0000.parquet", "de/partial-train/0000.parquet"],
    ["en/train/whatever.parquet", "de/train/whatever.parquet"],
    ["data/en-train.csv", "data/de-train.csv", "data/en-test.csv"],
    ["train_en.tsv", "train_de.tsv"],
    ["data/en/en_train.txt", "data/en/en_test.txt"],
    ["en.jsonl", "de.jsonl", "README.md"],
  ];
  for (const paths of layouts) {
    assert.deepEqual(find(paths, ["en_US", "en", "de"]), [paths[0]]);
  }
});

Deno.test("the files of a data set without configurations", () => {
  const files = ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"];
  assert.deepEqual(find([...files, "data/test.parquet"], ["en"]), files);
  assert.deepEqual(find(["train.jsonl"], ["en", "eng"]), ["train.jsonl"]);
  assert.deepEqual(find(["train/a.txt", "train/b.txt"], ["default"]), [
    "train/a.txt",
    "train/b.txt",
  ]);
  // not where languages have their own: these may be of another language
  assert.throws(() => find(["train.parquet", "de/train.parquet"], ["fr"]), /no rows for fr/);
});

Deno.test("languages that share files", () => {
  const paths = ["WiLI-2018 dataset/test/0000.parquet", "WiLI-2018 dataset/train/0000.parquet"];
  assert.deepEqual(find(paths, ["en", "eng"], "test", { labelled: true }), [paths[0]]);
  assert.deepEqual(find(["data/test-00000-of-00001.parquet"], ["en"], "test", { labelled: true }), [
    "data/test-00000-of-00001.parquet",
  ]);
  assert.throws(() =>
    find(["a/test.parquet", "b/test.parquet"], ["en"], "test", { labelled: true })
  );
});

Deno.test("what the README declares goes before", () => {
  const paths = ["old/train.parquet", "v2/a.parquet", "v2/b.parquet", "en/train.parquet"];
  const declared = [{
    name: "en",
    dataFiles: [
      { split: "train", patterns: ["v2/*"] },
      { split: "dev", patterns: ["**/train.parquet"] },
      { split: "none", patterns: ["x/*"] },
    ],
  }, { name: "all", dataFiles: [{ split: undefined, patterns: ["v2/*", "old/*"] }] }];
  assert.deepEqual(find(paths, ["en"], "train", { declared }), ["v2/a.parquet", "v2/b.parquet"]);
  assert.deepEqual(find(paths, ["en"], "dev", { declared }), [
    "en/train.parquet",
    "old/train.parquet",
  ]);
  assert.deepEqual(find(paths, ["all"], "train", { declared }), ["old/train.parquet"]);
  assert.throws(
    () => find(paths, ["en"], "none", { declared }),
    /no rows for en in the split "none", found en:train:dev:none, all:train;/,
  );
});

Deno.test("patterns that would take for ever are left out", () => {
  const path = `${"a".repeat(200)}.parquet`;
  const patterns = [
    "*a".repeat(40) + "b",
    "+(a|aa)".repeat(9) + "b",
    `train-*${"\\\\".repeat(50)}`,
    "*.parquet",
  ];
  const declared = [{ name: "en", dataFiles: [{ split: "train", patterns }] }];
  const began = performance.now();
  assert.deepEqual(find([path], ["en"], "train", { declared }), [path]);
  assert.ok(performance.now() - began < 1000);
});

Deno.test("shards in order, all of them", () => {
  const shards = ["en/train-00001-of-00003.parquet", "en/train-00000-of-00003.parquet"];
  const third = "en/train-00002-of-00003.parquet";
  assert.deepEqual(find([...shards, third], ["en"]), [shards[1], shards[0], third]);
  assert.throws(() => find(shards, ["en"]), /has 2 of the 3 files that en\/train-00000-of-00003/);
});

Deno.test("what is not there is refused with what is", () => {
  const refused = (work: () => unknown, message: RegExp) =>
    assert.throws(
      work,
      (error: Error) => error instanceof InputError && message.test(error.message),
    );
  refused(
    () => find(["dev/eng_Latn.parquet", "devtest/eng_Latn.parquet"], ["eng_Latn", "en"]),
    /no rows for eng_Latn in the split "train", found dev\/eng_Latn, devtest\/eng_Latn;/,
  );
  refused(() => find(["en/a.jsonl.gz"], ["en"]), /rows packed, as en\/a\.jsonl\.gz, expected/);
  refused(() => find(["x.bin"], ["en"]), /found no file of rows/);
  const many = Array.from({ length: 99 }, (_, i) => `c${i}/train.parquet`);
  refused(() => find(many, ["en"]), /c0\/train, c1\/train, c10\/train, .*, …; name one/);
  const two = ["en/train.parquet", "en/train.csv"];
  assert.deepEqual(find(two, ["en"]), ["en/train.parquet"]);
  refused(
    () => find(two, ["en"], "train", { formats: "one" }),
    /train\.parquet and en\/train\.csv/,
  );
});
