/** babelscope identify as a whole, against the oracle. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { remark } from "../lib/cli/output.ts";
import { readTable } from "../lib/data/tables.ts";
import { type Counts, decodeCounts } from "../lib/formats/counts.ts";
import { filesUnder, writeCorpus } from "./support/folders.ts";
import {
  type Job,
  ORACLE_LANGUAGES,
  oracleCountsOf,
  oracleResults,
} from "./support/oracle_counts.ts";
import { openTestGpu } from "./support/gpu.ts";
import { babelscope, type Outcome, ROOT, runScript, withFolder } from "./support/run.ts";
import { tiesBehind } from "./support/ties.ts";

const CODES = Object.keys(ORACLE_LANGUAGES);

/** Counts, slots of TopK that differ from the oracle's: a tie that falls the other way moves one. */
const MOST_TIES = 1e-4;

/** A run whose results several tests look at. */
interface Run {
  readonly outcome: Outcome;
  /** Where its results are. */
  readonly results: string;
}

const scratch = await Deno.realPath(await Deno.makeTempDir());
Deno.test.afterAll(() => Deno.remove(scratch, { recursive: true }));

/** What `make` returns, made on the first call. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

/** The main job, with nothing said, from a folder that holds nothing. */
const defaultRun = once(async (): Promise<Run> => {
  const cwd = join(scratch, "default");
  await Deno.mkdir(cwd);
  return { outcome: await babelscope(["identify"], { cwd }), results: join(cwd, "results") };
});

/** The oracle's texts as files of a user. */
const sharedRun = once(async (): Promise<Run> => {
  const cwd = join(scratch, "shared");
  const texts = await Deno.readTextFile(`${ROOT}tests/fixtures/oracle/texts.json`);
  await writeCorpus(join(cwd, "my texts"), JSON.parse(texts));
  const args = ["--dataset-configs", `my texts:{${CODES}}`, "--out-dir", "found"];
  return { outcome: await runScript("identify", args, { cwd }), results: join(cwd, "found") };
});

/** A feature as the oracle writes it. */
type Feature = readonly [layer: number, index: number, entropy: number, probability: number];

/** Rows of features.csv by column name. */
async function readFeatures(results: string): Promise<Record<string, string>[]> {
  const text = await Deno.readTextFile(join(results, "features.csv"));
  const [header, ...lines] = text.trimEnd().split("\n").map((line) => line.split(","));
  return lines.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i]])));
}

async function featuresByLanguage(results: string): Promise<Record<string, Feature[]>> {
  const found: Record<string, Feature[]> = {};
  for (const { language, layer, index, entropy, probability } of await readFeatures(results)) {
    (found[language] ??= []).push([+layer, +index, +entropy, +probability]);
  }
  return found;
}

/** Exactly the oracle's features; their numbers as far as a few ties may move them. */
async function assertFeatures(
  results: string,
  expected: Record<string, Feature[]>,
): Promise<void> {
  const found = await featuresByLanguage(results);
  let moved = 0;
  for (const [language, features] of Object.entries(expected)) {
    const own = found[language] ?? [];
    const positions = (list: Feature[]) => list.map(([layer, index]) => [layer, index]);
    assert.deepEqual(positions(own), positions(features), language);
    for (const [i, [, , entropy, probability]] of features.entries()) {
      const off = Math.max(Math.abs(own[i][2] - entropy), Math.abs(own[i][3] - probability));
      if (off > 1e-6) moved++;
      assert.ok(off < 1e-3, `${language} ${own[i]}`);
    }
  }
  assert.ok(moved <= 10, `${moved} features have other numbers`);
}

async function countsOf(results: string, path: string): Promise<Counts> {
  const file = join(results, path);
  return decodeCounts(await Deno.readFile(file), file);
}

/** Slots that differ, and how many there are. */
async function disagreement(run: Run, dataset: string, job: Job) {
  const total = { differing: 0, slots: 0 };
  for (const code of CODES) {
    const counts = await countsOf(run.results, `counts/${dataset}/${code}.safetensors`);
    const expected = oracleCountsOf(job, "sae", code);
    assert.equal(counts.examples, expected.examples, code);
    assert.equal(counts.tokens, expected.tokens, code);
    total.slots += counts.tokens * counts.layers.length * 16;
    counts.firedTokens.forEach((fired, at) => {
      total.differing += Math.abs(fired - expected.firedTokens[at]) / 2;
    });
  }
  return total;
}

/** The oracle's option sets in the words of the command line. */
const SPELLINGS: Readonly<Record<string, (value: string) => string[]>> = {
  example_rate: (value) => ["--example-rate", value],
  ratio: (value) => ["--topk_threshold_ratio", value],
  top: (value) => ["--top", value],
  by_freq: () => ["--top-by-frequency"],
  per_layer: () => ["--top_per_layer", "True"],
  thr: (value) => [`--entropy_threshold=${value}`],
  specific: (value) => ["--lang-specific", value],
  shared: (value) => ["--lang-shared", "--shared-count", value],
};

function commandLine(options: Record<string, unknown>): string[] {
  return Object.entries(options).flatMap(([name, value]) => SPELLINGS[name](String(value)));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function readJson(path: string) {
  return JSON.parse(await Deno.readTextFile(path));
}

Deno.test("with nothing said, identify finds the oracle's features in the Declaration", async () => {
  const { outcome, results } = await defaultRun();
  assert.equal(outcome.code, 0, outcome.stderr);
  const { features } = oracleResults("default").results.paper;
  await assertFeatures(results, features);
  for (const [language, list] of Object.entries<Feature[]>(features)) {
    assert.match(outcome.stdout, new RegExp(`^${language} +${list.length} `, "m"));
  }
  assert.match(outcome.stdout, /^768 features of 948 candidates belong to 15 languages\.$/m);
});

Deno.test("the main job's counts are the oracle's but for ties", async () => {
  const { differing, slots } = await disagreement(await defaultRun(), "udhr", "default");
  assert.equal(slots, 64_530 * 6 * 16);
  assert.ok(differing <= slots * MOST_TIES, `${differing} of ${slots} slots differ`);
});

Deno.test("every count of the main job that differs from the oracle's is a certified tie", async () => {
  const { results } = await defaultRun();
  using gpu = await openTestGpu();
  for (const code of CODES) {
    const counts = await countsOf(results, `counts/udhr/${code}.safetensors`);
    for (const tie of await tiesBehind(gpu, counts, oracleCountsOf("default", "sae", code), code)) {
      remark(`tie in ${code}: ${JSON.stringify(tie)}`);
    }
  }
});

Deno.test("the main job leaves its files, and nothing else", async () => {
  const { results, outcome } = await defaultRun();
  const counts = CODES.map((code) => `counts/udhr/${code}.safetensors`);
  assert.deepEqual(
    await filesUnder(results),
    [...counts, "features.csv", "features.parquet", "lape.json", "report.html", "run.json"].sort(),
  );
  assert.ok(outcome.stdout.includes(results), "says where they are");
});

Deno.test("lape.json has the features under the original's keys", async () => {
  const { results } = await defaultRun();
  const lape = await readJson(join(results, "lape.json"));
  const { features } = oracleResults("default").results.paper;
  assert.deepEqual(lape.sorted_lang, Object.values(ORACLE_LANGUAGES).sort());
  lape.sorted_lang.forEach((language: string, g: number) => {
    const expected = Array.from(
      { length: 6 },
      (_, layer) =>
        features[language].filter((feature: Feature) => feature[0] === layer)
          .map(([, index]: Feature) => index),
    );
    assert.deepEqual(lape.final_indice[g], expected, language);
    const [code] = CODES.filter((code) => ORACLE_LANGUAGES[code] === language);
    assert.equal(lape.num_tokens[g], oracleCountsOf("default", "sae", code).tokens);
    assert.equal(lape.num_examples[g], oracleCountsOf("default", "sae", code).examples);
  });
});

Deno.test("features.parquet is features.csv", async () => {
  const { results } = await defaultRun();
  const columns = await readTable(join(results, "features.parquet"));
  const rows = await readFeatures(results);
  assert.equal(rows.length, 768);
  assert.deepEqual(Object.keys(columns), Object.keys(rows[0]));
  for (const [name, cells] of Object.entries(columns)) {
    assert.equal(cells.length, rows.length, name);
    cells.forEach((cell, i) => {
      const text = rows[i][name];
      if (typeof cell === "string") assert.equal(cell, text, name);
      else assert.equal(Number(cell), Number(text), name);
    });
  }
});

Deno.test("run.json says what the results were made from and by", async () => {
  const { results } = await defaultRun();
  const run = await readJson(join(results, "run.json"));
  for (const [file, hash] of Object.entries(run.model.sha256)) {
    assert.equal(hash, sha256(await Deno.readFile(`${ROOT}assets/demo/model/${file}`)), file);
  }
  assert.ok("model.safetensors" in run.model.sha256 && "tokenizer.json" in run.model.sha256);
  assert.equal(Object.keys(run.saes.sha256).length, 12);
  for (const [file, hash] of Object.entries(run.saes.sha256)) {
    assert.equal(hash, sha256(await Deno.readFile(`${ROOT}assets/demo/sae/${file}`)), file);
  }
  assert.equal(run.corpora.length, 15);
  for (const { adapter, sha256: [hash], reused } of run.corpora) {
    assert.match(adapter, /.+; .+; (texture|tile) kernels$/);
    assert.match(hash, /^[0-9a-f]{64}$/);
    assert.equal(reused, false);
  }
  assert.match(run.code.sha256, /^[0-9a-f]{64}$/);
  assert.match(run.identification_code.sha256, /^[0-9a-f]{64}$/);
  assert.equal(run.versions.deno, Deno.version.deno);
  assert.ok(run.gpu_peak_bytes > 0);
  assert.ok(run.seconds > 0);
  assert.equal(run.options.algorithm, "sae-lape");
});

Deno.test("report.html is one file with every language and its adapter", async () => {
  const { results } = await defaultRun();
  const page = await Deno.readTextFile(join(results, "report.html"));
  assert.doesNotMatch(page, /(src|href)="(https?:)?\/\//, "needs nothing from elsewhere");
  for (const language of Object.values(ORACLE_LANGUAGES)) assert.ok(page.includes(language));
  const { corpora: [{ adapter }] } = await readJson(join(results, "run.json"));
  assert.ok(page.includes(adapter));
  assert.match(page, /<mark/, "shows texts in which features fire");
});

Deno.test("a second run takes the counts that are there, and finds the same", async () => {
  const { results } = await defaultRun();
  const before = await Deno.stat(join(results, "counts/udhr/zh.safetensors"));
  const outcome = await runScript("identify", [
    ...["--out-dir", results, "--out-path", "again", "--report-texts", "0"],
  ], NO_ADAPTER);
  assert.equal(outcome.code, 0, outcome.stderr);
  const after = await Deno.stat(join(results, "counts/udhr/zh.safetensors"));
  assert.deepEqual(after.mtime, before.mtime);
  const read = (folder: string) => Deno.readTextFile(join(results, folder, "features.csv"));
  assert.equal(await read("again"), await read("."));
  const { corpora, gpu_peak_bytes } = await readJson(join(results, "again/run.json"));
  assert.ok(corpora.every(({ reused }: { reused: boolean }) => reused));
  assert.equal(gpu_peak_bytes, null);
});

/** Where a step that asks for an adapter fails. */
const NO_ADAPTER = { env: { BABELSCOPE_ADAPTER: "none" } };

for (const [job, run] of [["default", defaultRun], ["shared", sharedRun]] as const) {
  const { options, results: expected } = oracleResults(job);
  for (const name of Object.keys(options)) {
    Deno.test(`oracle, ${job} texts: options ${name} give the same features`, async () => {
      const { outcome, results } = await run();
      assert.equal(outcome.code, 0, outcome.stderr);
      const args = ["--in-dir", results, "--in-path", "counts", "--out-dir", `${results}/${name}`];
      const again = await runScript(
        "identify",
        [...args, ...commandLine(options[name])],
        NO_ADAPTER,
      );
      assert.equal(again.code, 0, again.stderr);
      await assertFeatures(join(results, name), expected[name].features);
      assert.match(
        again.stdout,
        new RegExp(`^\\d+ features of ${expected[name].candidates} candidates`, "m"),
      );
    });
  }

  Deno.test(`oracle, ${job} texts: the same neurons`, async () => {
    const { results } = await run();
    const texts = job === "default" ? "udhr" : join(scratch, "shared/my texts");
    const outcome = await runScript("identify", [
      ...["--algorithm", "lape", "--out-dir", results, "--report-texts", "1"],
      ...["--dataset-configs", `${texts}:{${CODES}}`],
    ]);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { neurons } = oracleResults(job).neurons;
    await assertFeatures(join(results, "neurons"), neurons);
    const again = await runScript("identify", [
      ...["--algorithm", "lape", "--in-dir", results, "--in-path", "neuron_counts"],
      ...["--out-dir", join(results, "again"), "--out_path", "neurons"],
    ], NO_ADAPTER);
    assert.equal(again.code, 0, again.stderr);
    await assertFeatures(join(results, "again/neurons"), neurons);
  });
}

Deno.test("texts of files are read as they are, with the oracle's counts but for ties", async () => {
  const { differing, slots } = await disagreement(await sharedRun(), "my texts", "shared");
  assert.ok(differing <= slots * MOST_TIES, `${differing} of ${slots} slots differ`);
});

Deno.test("--config and both spellings mean the same, from any folder", async () => {
  const { results } = await sharedRun();
  await withFolder(async (cwd) => {
    await Deno.writeTextFile(
      join(cwd, "run.toml"),
      [
        `in-dir = ${JSON.stringify(results)}`,
        'in_path = "counts"',
        "example_rate = 0.3",
        "top = 7",
        "top-per-layer = true",
        "lang_specific = true",
      ].join("\n"),
    );
    const args = ["--config", "run.toml", "--top", "1", "--out_dir", "found"];
    const outcome = await babelscope(["identify", ...args], { cwd, ...NO_ADAPTER });
    assert.equal(outcome.code, 0, outcome.stderr);
    const { features } = oracleResults("shared").results.top_1_per_layer;
    await assertFeatures(join(cwd, "found"), features);
    const { options } = await readJson(join(cwd, "found/run.json"));
    assert.deepEqual([options.top, options.topPerLayer, options.exampleRate], [1, true, 0.3]);
  });
});

Deno.test("--in-path reads only the data sets that are named", async () => {
  const { results } = await sharedRun();
  await withFolder(async (cwd) => {
    const outcome = await runScript("identify", [
      ...["--in-dir", results, "--in-path", "counts", "--dataset-configs", "my texts:{th,ja}"],
    ], { cwd, ...NO_ADAPTER });
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(
      (await readJson(join(cwd, "results/lape.json"))).sorted_lang,
      ["Japanese", "Thai"],
    );
  });
});
