/** babelscope pretokenize: whole runs, stopped runs, what is refused. */
import assert from "node:assert/strict";
import { join } from "node:path";
import packed from "./fixtures/train_data/packed.json" with { type: "json" };
import { FileHasher } from "../lib/data/file_hashes.ts";
import { openTokenFolder } from "../lib/data/token_rows.ts";
import { filesUnder, hashesOf, writeCorpus } from "./support/folders.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";

const DOCUMENTS = join(ROOT, "tests/fixtures/train_data/documents.jsonl");
const MODEL = join(ROOT, "assets/demo/model");

const pretokenize = (cwd: string, ...args: string[]) => runScript("pretokenize", args, { cwd });

Deno.test("the published program's partitions, with its names and rows", () =>
  withFolder(async (folder) => {
    const options = ["--ctx_len", "16", "--batch_size", "7", "--compat", "paper"];
    const { code, stdout, stderr } = await pretokenize(folder, MODEL, DOCUMENTS, ...options);
    assert.equal(code, 0, stderr);
    const rows = packed[1].batches.flatMap((rows) => rows.slice(0, -1));
    const out = join(folder, "results/pretokenized");
    assert.match(
      stdout,
      new RegExp(`^46 texts → ${rows.length} rows of 16 tokens .* were dropped\\.\n$`),
    );
    using written = await openTokenFolder(out, new FileHasher());
    assert.deepEqual([...await written.read(rows.map((_, i) => i))], rows.flat());
    assert.deepEqual(
      await filesUnder(out),
      [
        "pretokenized.json",
        ...Array.from({ length: 7 }, (_, i) => `pretokenized_train_00000${i}.safetensors`),
        "run.json",
      ],
    );
    const run = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
    assert.equal(run.result.rows, rows.length);
    assert.equal(run.options.compat, "paper");
  }));

Deno.test("a run that is killed goes on, and ends in the same bytes", () =>
  withFolder(async (folder) => {
    const texts = Array.from({ length: 1500 }, (_, i) => `Text number ${i} of many. `.repeat(8));
    await writeCorpus(join(folder, "texts"), { en: texts });
    const options = ["--dataset-configs", "texts:en", "--ctx-len", "64", "--batch-size", "100"];
    const run = (out: string) => [...options, "--output-dir", out];
    const killed = new Deno.Command(join(ROOT, "scripts/pretokenize.ts"), {
      args: run("stopped"),
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const shard = join(folder, "stopped/pretokenized_train_en_000002.safetensors");
    while (!await Deno.stat(shard).catch(() => undefined)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    killed.kill("SIGKILL");
    assert.equal((await killed.status).success, false, "it was killed before its end");
    assert.ok(!(await filesUnder(join(folder, "stopped"))).includes("pretokenized.json"));
    for (const out of ["stopped", "whole"]) {
      const { code, stderr } = await pretokenize(folder, ...run(out));
      assert.equal(code, 0, stderr);
    }
    const hashes = async (out: string) => {
      const { "run.json": _times, ...rest } = await hashesOf(join(folder, out));
      return rest;
    };
    assert.deepEqual(await hashes("stopped"), await hashes("whole"));
  }));

Deno.test("bad input ends in one sentence and exit code 2", () =>
  withFolder(async (folder) => {
    const cases: [string[], RegExp][] = [
      [["nowhere", DOCUMENTS], /There is no folder nowhere/],
      [[MODEL, "nowhere"], /There is no data set "nowhere"/],
      [[MODEL, DOCUMENTS, "more"], /too many arguments/],
      [["--hf-username", "me"], /never does/],
      [["--ctx-len", "0"], /expected a whole number of at least 1/],
      [["--dataset-configs", "udhr:en", "--ctx-len", "1"], /no room for text/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await pretokenize(folder, ...args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /(?:^|\n)babelscope pretokenize: [^\n]*\.\n$/);
      assert.match(stderr, message);
    }
  }));
