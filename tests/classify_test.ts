/** babelscope classify as a whole. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { claimFolder } from "../lib/data/folder_claim.ts";
import { writeDiffMean } from "../lib/data/diffmean_files.ts";
import { readJson, readText } from "../lib/data/files.ts";
import { readTable } from "../lib/data/tables.ts";
import { filesUnder, writeCorpus } from "./support/folders.ts";
import { writeOracleLape } from "./support/oracle_lape.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";

/** Where a step that asks for an adapter fails. */
const NO_ADAPTER = { env: { BABELSCOPE_ADAPTER: "none" } };

const ORACLE = join(ROOT, "tests/fixtures/oracle");
const ISO3: Readonly<Record<string, string>> = { en: "eng", th: "tha", zh: "zho" };

interface OracleRow {
  readonly lang: string;
  readonly row: number;
  readonly sae_count: number[];
  readonly sae_min_max: number[];
}

/** Scores of rows 8 to 11 of each language. */
const { sorted_lang: LANGUAGES, rows: ROWS } = await readJson(
  join(ORACLE, "classify_and_greedy.json"),
) as { readonly sorted_lang: string[]; readonly rows: OracleRow[] };

const RESULTS = `results ([${LANGUAGES.map((name) => `'${name}'`).join(", ")}])`;

/** Writes rows 8 to 11 of English, Thai and Chinese as a corpus and the oracle's features beside it. */
async function prepare(folder: string): Promise<string> {
  const texts = await readJson(join(ORACLE, "texts.json")) as Record<string, string[]>;
  const chosen = Object.keys(ISO3).map((lang) => [lang, texts[lang].slice(8, 12)]);
  await writeCorpus(join(folder, "texts"), Object.fromEntries(chosen));
  await writeOracleLape(folder);
  return `${folder}/texts:{en,th,zh}:train:0:4`;
}

async function classify(out: string, ...args: string[]) {
  const outcome = await runScript("classify", ["--out-dir", out, ...args]);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

/** Predictions of one language's texts. */
async function predictions(out: string, classifier: string, lang: string) {
  const path = join(out, "classification", classifier, `predictions_${lang}.csv`);
  const table = await readTable(path) as Record<string, string[]>;
  const scores = table[RESULTS].map((text) => JSON.parse(text) as number[]);
  return { named: table.predictions, labels: table.labels, scores };
}

Deno.test("every classifier in one run: scores of the oracle, metrics of the predictions", () =>
  withFolder(async (folder) => {
    const texts = await prepare(folder);
    const directions = { languages: LANGUAGES, layers: [0, 5], width: 128 };
    const random = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * i));
    await writeDiffMean(join(folder, "diffmean.safetensors"), {
      ...directions,
      mean: random(LANGUAGES.length * 2 * 128),
      centre: random(2 * 128),
    });
    const types = ["sae-count", "sae-min-max", "neuron-count", "diffmean", "fasttext", "eld"];
    const { stdout } = await classify(
      folder,
      ...["--dataset-configs", texts, "--classifier-type", ...types, "--normalize"],
    );
    const classifiers = [
      ...["sae-count", "sae-count-normalized", "sae-min-max", "sae-min-max-normalized"],
      ...["neuron-count", "neuron-count-normalized", "diffmean", "fasttext", "eld"],
    ];
    const listed = stdout.split("\n").slice(2, 11).map((line) => line.split(/\s{2,}/));
    assert.deepEqual(listed.map(([name]) => name), classifiers);
    const compared = await readTable(join(folder, "classification/comparison.parquet"));
    assert.deepEqual(compared.classifier, classifiers);

    for (const lang of Object.keys(ISO3)) {
      const expected = ROWS.filter((row) => row.lang === lang);
      const { scores, labels } = await predictions(folder, "sae-count", lang);
      // a tie may move a slot on another adapter
      const moved = scores.flatMap((row, i) =>
        row.map((score, g) => Math.abs(score - expected[i].sae_count[g]))
      );
      assert.ok(moved.reduce((sum, slots) => sum + slots) <= 2, lang);
      assert.deepEqual(labels, new Array(4).fill(ISO3[lang]));
      const sums = (await predictions(folder, "sae-min-max", lang)).scores;
      for (const [i, row] of sums.entries()) {
        for (const [g, score] of row.entries()) {
          assert.ok(Math.abs(score - expected[i].sae_min_max[g]) < 2, `${lang} ${i} ${g}`);
        }
      }
    }
    for (const [i, name] of classifiers.entries()) {
      const own = join(folder, "classification", name);
      const metrics = await readJson(join(own, "metrics.json")) as Record<string, number>;
      let right = 0;
      for (const lang of Object.keys(ISO3)) {
        const { named } = await predictions(folder, name, lang);
        right += named.filter((prediction) => prediction === ISO3[lang]).length;
      }
      assert.equal(metrics.accuracy, right / 12, name);
      assert.equal(compared.accuracy[i], right / 12);
      if (name.startsWith("sae-")) assert.equal(right, 12, name);
    }
    const names = await filesUnder(join(folder, "classification/eld"));
    assert.deepEqual(names, [
      "metrics.json",
      ...Object.keys(ISO3).flatMap((lang) =>
        ["csv", "parquet"].map((extension) => `predictions_${lang}.${extension}`)
      ),
      "run.json",
    ]);
    const left = await filesUnder(join(folder, "classification"));
    assert.ok(!left.some((name) => name.includes("partial")), "no checkpoint stays behind");
    const run = await readJson(join(folder, "classification/run.json")) as Record<string, unknown>;
    assert.equal((run.features as unknown[]).length, 3, "lape.json, neurons/lape.json, diffmean");
  }));

Deno.test("after kill -9 it goes on with the language it was at, to the same results", () =>
  withFolder(async (folder) => {
    const texts = await prepare(folder);
    const args = ["--dataset-configs", texts, "--bootstrap", "0"];
    await classify(folder, ...args);
    const before = await predictions(folder, "sae-min-max", "en");
    const metrics = await readText(join(folder, "classification/sae-min-max/metrics.json"));

    const partial = join(folder, "classification/scores.partial.jsonl");
    const child = new Deno.Command(`${ROOT}scripts/classify.ts`, {
      args: ["--out-dir", folder, ...args],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    const lines = async () => (await Deno.readTextFile(partial).catch(() => "")).split("\n").length;
    const deadline = Date.now() + 60_000;
    while (await lines() < 3 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    child.kill("SIGKILL");
    await child.status;
    // one that was kept is not computed again: what it says is believed
    const [identity, first] = (await Deno.readTextFile(partial)).split("\n");
    const [key, scores] = JSON.parse(first);
    scores["sae-min-max"][0][LANGUAGES.indexOf("English")] += 0.5;
    await Deno.writeTextFile(partial, `${identity}\n${JSON.stringify([key, scores])}\n`);
    await classify(folder, ...args);
    const after = await predictions(folder, "sae-min-max", "en");
    const own = LANGUAGES.indexOf("English");
    assert.ok(Math.abs(after.scores[0][own] - before.scores[0][own] - 0.5) < 2e-3);
    assert.deepEqual(after.scores.slice(1), before.scores.slice(1));
    const again = await readText(join(folder, "classification/sae-min-max/metrics.json"));
    assert.equal(again, metrics);
  }));

Deno.test("--compat paper writes the sums as the published program does", () =>
  withFolder(async (folder) => {
    const texts = await prepare(folder);
    const asked = ["--dataset-configs", texts, "--classifier-type", "sae-count"];
    await classify(folder, ...asked, "--compat", "paper");
    const { scores, named } = await predictions(folder, "sae-count", "th");
    const expected = ROWS.filter(({ lang }) => lang === "th");
    const thai = LANGUAGES.indexOf("Thai");
    for (const [row, { sae_count }] of expected.entries()) {
      assert.ok(Math.abs(scores[row][thai] - sae_count[thai] * (4 - row)) <= 4, `row ${row}`);
    }
    assert.deepEqual(named, new Array(4).fill("tha"));
  }));

Deno.test("language identifiers need neither a model nor an adapter", () =>
  withFolder(async (folder) => {
    const args = ["--classifier-type", "eld", "fasttext", "--dataset-configs", "udhr:{en,de,th}"];
    const { code, stderr } = await runScript(
      "classify",
      ["--out-dir", folder, "--model", "nowhere", ...args],
      NO_ADAPTER,
    );
    assert.equal(code, 0, stderr);
    const compared = await readTable(join(folder, "classification/comparison.parquet"));
    assert.ok(
      compared.accuracy.every((accuracy) => Number(accuracy) > 0.95),
      `${compared.accuracy}`,
    );
    const { "results (['English', 'German', 'Thai'])": results } = await readTable(
      join(folder, "classification/eld/predictions_th.csv"),
    );
    assert.ok(results, "the languages are those of the texts");
  }));

Deno.test("bad input ends in one sentence and exit code 2", () =>
  withFolder(async (folder) => {
    await writeOracleLape(folder);
    const lape = JSON.parse(await readText(join(folder, "lape.json")));
    lape.final_indice[0][0][0] = lape.features_info.Bulgarian.indicies[0][1] = 0;
    lape.final_indice[0][0][1] = lape.features_info.Bulgarian.indicies[1][1] = 999_999;
    await Deno.writeTextFile(join(folder, "foreign.json"), JSON.stringify(lape));
    const refused = async (message: RegExp, ...args: string[]) => {
      const all = ["--out-dir", folder, "--dataset-configs", "udhr:en:train:0:2", ...args];
      const { code, stderr } = await runScript("classify", all, NO_ADAPTER);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^babelscope classify: [^\n]+\.\n$/);
      assert.match(stderr, message);
    };
    await refused(/expected sae-min-max, .*, got "sae"/, "--classifier-type", "sae");
    await refused(
      /names feature 999999 of layer 0/,
      "--lape-result-path",
      `${folder}/foreign.json`,
    );
    await refused(
      /--layer names layers\.0\.mlp\.act_fn, but sae-count looks at what SAEs look at/,
      ...["--classifier-type", "sae-count", "--layer", "layers.0.mlp.act_fn"],
    );
    await refused(
      /There is no .*diffmean\.safetensors, which identify writes beside lape\.json/,
      "--classifier-type",
      "diffmean",
    );
    using _claim = await claimFolder(join(folder, "classification"));
    await refused(/Another run of babelscope works in/, "--classifier-type", "eld");
  }));
