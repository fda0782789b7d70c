/** babelscope statistics as a whole, against the oracle's counts, NumPy and the original's form. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readTable } from "../lib/data/tables.ts";
import { pythonFloat, roundToThree } from "../lib/statistics/python_numbers.ts";
import embedded from "./fixtures/analysis/embedded.json" with { type: "json" };
import { filesUnder, writeCorpus } from "./support/folders.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";
import { Fixture } from "./support/tensors.ts";

const TEXTS: Record<string, string[]> = JSON.parse(
  await Deno.readTextFile(join(ROOT, "tests/fixtures/oracle/texts.json")),
);
/** In the order of the fixture's summaries. */
const SUMMARY = ["count", "avg", "q1", "median", "q3", "min_active", "max_active", "std"];

async function statistics(folder: string, out: string, ...args: string[]) {
  await writeCorpus(join(folder, "texts"), { en: TEXTS.en, th: TEXTS.th });
  const texts = ["--dataset-configs", `${folder}/texts:{en,th}`];
  const outcome = await runScript("statistics", [
    "--out-dir",
    join(folder, out),
    ...texts,
    ...args,
  ]);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

/** A table as columns of numbers. */
async function numbersOf(path: string, names: readonly string[]) {
  const table = await readTable(path, names);
  return Object.fromEntries(names.map((name) => [name, table[name].map(Number)]));
}

function assertNear(actual: number, expected: number, tolerance: number, what: string): void {
  const error = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  assert.ok(error <= tolerance, `${what}: ${actual}, expected ${expected}`);
}

Deno.test("summaries and places are the oracle's and NumPy's", () =>
  withFolder(async (folder) => {
    await statistics(folder, "out", "--layer", "layers.{3,4}.mlp", "--batch-size", "5");
    const texts = join(folder, "out/statistics/texts");
    for (const lang of ["en", "th"] as const) {
      using counts = await Fixture.open(`tests/fixtures/oracle/counts/sae/${lang}.safetensors`);
      const fired = await counts.integers("over_zero_token");
      const [total, max, min] = await Promise.all(
        ["over_zero_total", "max_active_over_zero", "min_active_over_zero"]
          .map((name) => counts.floats(name)),
      );
      for (const layer of [3, 4]) {
        const path = join(texts, `summary/layers.${layer}.mlp/${lang}.parquet`);
        const own = await numbersOf(path, ["index", ...SUMMARY]);
        const active = Array.from({ length: 2048 }, (_, index) => index)
          .filter((index) => fired[layer * 2048 + index] > 0);
        assert.deepEqual(own.index, active);
        for (const [i, index] of active.entries()) {
          const at = layer * 2048 + index;
          assert.equal(own.count[i], fired[at]);
          assertNear(own.max_active[i], max[at], 1e-4, `max of ${index}`);
          assertNear(own.min_active[i], min[at], 1e-4, `min of ${index}`);
          assertNear(own.avg[i] * own.count[i], total[at], 1e-4, `sum of ${index}`);
        }
      }
      const own = await numbersOf(join(texts, `summary/layers.3.mlp/${lang}.parquet`), [
        ...["index", ...SUMMARY],
      ]);
      const places = await numbersOf(
        join(texts, `dataset_token_activations/layers.3.mlp/${lang}.parquet`),
        ["index", "row", "token", "activation"],
      );
      assert.equal(places.index.length, own.count.reduce((sum, count) => sum + count));
      for (const { index, summary, places: expected } of embedded.statistics[lang]) {
        const row = own.index.indexOf(index);
        summary.forEach((value, i) =>
          assertNear(own[SUMMARY[i]][row], value, 1e-4, `${SUMMARY[i]} of ${index}`)
        );
        const first = places.index.indexOf(index);
        const found = expected.map((_, i) => [places.row[first + i], places.token[first + i]]);
        assert.deepEqual(found, expected);
        const values = places.activation.slice(first, first + expected.length);
        assert.equal(Math.max(...values), own.max_active[row]);
      }
    }
  }));

Deno.test("under --compat paper files are the original's: three decimals, lists as text", () =>
  withFolder(async (folder) => {
    const layer = ["--layer", "layers.3.mlp"];
    await statistics(folder, "ours", ...layer);
    await statistics(folder, "paper", ...layer, "--compat", "paper");
    const [ours, paper] = ["ours", "paper"].map((out) => join(folder, out, "statistics/texts"));
    // Q2: the last row of a range without end is left out
    const lines = (await Deno.readTextFile(join(paper, "summary/layers.3.mlp/th.csv"))).split("\n");
    assert.equal(lines[0], "index,count,avg,q1,median,q3,min_active,max_active,std,lang,layer");
    assert.match(lines[1], /^\d+,\d+(,\d+\.\d{1,3}){7},th,layers\.3\.mlp$/);
    const places = await numbersOf(
      join(ours, "dataset_token_activations/layers.3.mlp/th.parquet"),
      ["index", "row", "token", "activation"],
    );
    const kept = [...places.index.keys()].filter((i) => places.row[i] < 11);
    const expected = [...Map.groupBy(kept, (i) => places.index[i])].map(([index, own]) => {
      const list = own.map((i) =>
        `(${places.row[i]}, ${places.token[i]}, ${pythonFloat(roundToThree(places.activation[i]))})`
      );
      return `${index},${own.length},"[${list.join(", ")}]"`;
    });
    const list = join(paper, "dataset_token_activations/layers.3.mlp/th.csv");
    assert.deepEqual((await Deno.readTextFile(list)).trimEnd().split("\n"), [
      "index,count,dataset_row_id_token_id_act_val",
      ...expected,
    ]);
  }));

Deno.test("what is there is kept; lists can be left out; neurons have statistics too", () =>
  withFolder(async (folder) => {
    const neurons = ["--layer", "layers.1.mlp.act_fn"];
    await statistics(folder, "out", ...neurons);
    const again = await statistics(folder, "out", ...neurons);
    assert.match(again.stdout, /English .* was there\n/);
    assert.equal(again.stderr, "");
    using counts = await Fixture.open("tests/fixtures/oracle/counts/neurons/en.safetensors");
    const fired = (await counts.integers("over_zero_token")).slice(384, 2 * 384);
    const summary = join(folder, "out/statistics/texts/summary/layers.1.mlp.act_fn/en.csv");
    const { count } = await numbersOf(summary, ["count"]);
    assert.deepEqual(count, fired.filter((n) => n > 0));

    const shorter = await statistics(folder, "out", ...neurons, "--no-occurrences");
    assert.doesNotMatch(shorter.stdout, /was there/);
    const files = await filesUnder(join(folder, "out/statistics/texts"));
    assert.deepEqual(files, [
      ...["en.json", "th.json"].map((name) => `records/layers.1.mlp.act_fn/${name}`),
      ...["en.csv", "en.parquet", "th.csv", "th.parquet"]
        .map((name) => `summary/layers.1.mlp.act_fn/${name}`),
    ]);
    const more = await statistics(
      folder,
      "out",
      "--layer",
      "layers.{0,1}.mlp.act_fn",
      "--no-occurrences",
    );
    assert.match(more.stdout, /English .* 1 of 2 were there\n/);
    await Deno.remove(summary);
    const repaired = await statistics(folder, "out", ...neurons, "--no-occurrences");
    assert.match(repaired.stdout, /English +12 +[\d,]+ +[\d,]+\s*\n.*Thai .* was there\n/);
  }));
