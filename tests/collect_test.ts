/** babelscope collect as a whole: what lies on disk is what the SAEs said, however it was cut. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type CollectedShard, readCollected } from "../lib/statistics/collected_files.ts";
import { filesUnder, hashesOf, writeCorpus } from "./support/folders.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";
import { Fixture } from "./support/tensors.ts";

const TEXTS: Record<string, string[]> = JSON.parse(
  await Deno.readTextFile(join(ROOT, "tests/fixtures/oracle/texts.json")),
);
const LAYERS = ["--layer", "layers.{0,5}.mlp"];
const K = 16;

/** The first of the oracle's texts in two languages. */
async function oracleTexts(folder: string, each = 12): Promise<string[]> {
  await writeCorpus(join(folder, "texts"), {
    en: TEXTS.en.slice(0, each),
    th: TEXTS.th.slice(0, each),
  });
  return ["--dataset-configs", `${folder}/texts:{en,th}`, ...LAYERS];
}

async function collect(out: string, ...args: string[]) {
  const outcome = await runScript("collect", ["--out-dir", out, ...args]);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

function read(out: string, lang: string, hookpoint: string): Promise<CollectedShard[]> {
  return Array.fromAsync(readCollected(join(out, "sae_features/texts", lang), hookpoint));
}

/** Rows, values and units of all shards together. */
function joined(shards: readonly CollectedShard[]) {
  return {
    rows: shards.flatMap(({ rows }) => [...rows]),
    values: shards.flatMap(({ values }) => [...values]),
    indices: shards.flatMap(({ indices }) => [...indices]),
  };
}

Deno.test("entries are the oracle's, and the same however texts are cut and batched", () =>
  withFolder(async (folder) => {
    const texts = await oracleTexts(folder);
    const [whole, cut] = [join(folder, "whole"), join(folder, "cut")];
    await collect(whole, ...texts);
    await collect(cut, ...texts, "--shard-rows", "5", "--batch-size", "3");
    assert.deepEqual(
      await filesUnder(join(cut, "sae_features/texts/th")),
      [
        ...["layers.0.mlp.0-5", "layers.0.mlp.10-12", "layers.0.mlp.5-10"],
        ...["layers.5.mlp.0-5", "layers.5.mlp.10-12", "layers.5.mlp.5-10"],
      ].map((name) => `${name}.safetensors`),
    );

    using oracle = await Fixture.open("tests/fixtures/oracle/forward.safetensors");
    for (const lang of ["en", "th"]) {
      for (const layer of ["layers.0", "layers.5"]) {
        const hookpoint = `${layer}.mlp`;
        const shards = await read(whole, lang, hookpoint);
        assert.equal(shards.length, 1);
        assert.deepEqual(joined(await read(cut, lang, hookpoint)), joined(shards));
        const [{ rows, rowOffsets, values, indices, k }] = shards;
        assert.deepEqual([...rows], TEXTS[lang].map((_, row) => row));
        assert.equal(k, K);
        // row 2 is the text that the oracle has entries of
        const [from, to] = [rowOffsets[2] * K, rowOffsets[3] * K];
        const expected = await oracle.floats(`${lang}.2.${layer}.top_acts`);
        const units = await oracle.integers(`${lang}.2.${layer}.top_indices`);
        assert.equal(to - from, expected.length);
        for (const [slot, value] of expected.entries()) {
          assert.ok(Math.abs(values[from + slot] - value) <= 1e-4 * Math.max(1, value));
        }
        const other = units.filter((unit, slot) => {
          const token = slot - slot % K;
          return !indices.subarray(from + token, from + token + K).includes(unit);
        });
        assert.deepEqual(other, [], `${lang} ${hookpoint}`);
      }
    }
  }));

Deno.test("what is there is kept, what is missing is made again, a stopped run goes on", () =>
  withFolder(async (folder) => {
    const texts = [...await oracleTexts(folder, 5), "--shard-rows", "2"];
    const whole = join(folder, "whole");
    await collect(whole, ...texts);
    const { "run.json": _, ...expected } = await hashesOf(join(whole, "sae_features"));

    const again = await collect(whole, ...texts);
    assert.match(again.stdout, /English +5 +[\d,]+ +6 +6\n/);
    assert.equal(again.stderr, "");
    await Deno.remove(join(whole, "sae_features/texts/en/layers.5.mlp.2-4.safetensors"));
    const partly = await collect(whole, ...texts);
    assert.match(partly.stdout, /English +5 +[\d,]+ +6 +4\n/);

    const stopped = join(folder, "stopped");
    const child = new Deno.Command(`${ROOT}scripts/collect.ts`, {
      args: ["--out-dir", stopped, ...texts, "--batch-size", "1"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const written = async () =>
      (await filesUnder(stopped)).filter((name) => name.endsWith(".safetensors")).length;
    const deadline = Date.now() + 60_000;
    while (await written() === 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill("SIGKILL");
    await child.status;
    await collect(stopped, ...texts);
    for (const out of [whole, stopped]) {
      const { "run.json": _, ...files } = await hashesOf(join(out, "sae_features"));
      const shards = Object.entries(files).filter(([name]) => !name.endsWith(".part"));
      assert.deepEqual(Object.fromEntries(shards), expected);
    }
  }));

Deno.test("bad input and files in the way end in one sentence and exit code 2", () =>
  withFolder(async (folder) => {
    const texts = await oracleTexts(folder, 3);
    const out = join(folder, "out");
    await collect(out, ...texts);
    await Deno.mkdir(join(folder, "other"));
    await writeCorpus(join(folder, "other/texts"), { en: TEXTS.en });
    const cases: [string[], RegExp][] = [
      [[...texts, "--shard-rows", "2"], /0-3\.safetensors holds some of the rows asked for/],
      [[...texts, "--shard-rows", "0"], /expected a whole number of at least 1/],
      [
        ["--dataset-configs", `${folder}/texts:en`, "--layer", "layers.0.mlp.act_fn"],
        /layers\.0\.mlp\.act_fn keeps no fixed number of units per token/,
      ],
      [
        ["--dataset-configs", `${folder}/texts:en`, `${folder}/other/texts:en`],
        /would both go to texts: rename one/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await runScript("collect", ["--out-dir", out, ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^babelscope collect: [^\n]*\.\n$/);
      assert.match(stderr, message);
    }
  }));
