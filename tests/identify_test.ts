/** babelscope identify as a whole, against the oracle. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { remark } from "../lib/cli/output.ts";
import { readDiffMean } from "../lib/data/diffmean_files.ts";
import { CLAIM, claimFolder } from "../lib/data/folder_claim.ts";
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

Deno.test("the main job says how sure it is of each feature", async () => {
  const { outcome, results } = await defaultRun();
  const rows = await readFeatures(results);
  for (const row of rows) {
    const [low, high] = [+row.probability_low, +row.probability_high];
    assert.ok(low < +row.probability && +row.probability < high, JSON.stringify(row));
    assert.ok(+row.entropy_low < +row.entropy_high || +row.entropy === 0, JSON.stringify(row));
    assert.ok(Number.isInteger(Math.round(+row.p_value * 1e6) / 1e3), "a share of 1 + 999");
    assert.ok(+row.p_value <= +row.q_value && +row.q_value <= 1);
  }
  // resampled entropies lie somewhat lower: an interval may miss the entropy, but hardly ever does
  const missed = rows.filter((row) => +row.entropy > +row.entropy_high).length;
  assert.ok(missed < rows.length / 20, `${missed} missed`);
  const sure = rows.filter((row) => +row.q_value < 0.05).length;
  const line =
    /\n(\d+) of them have q < 0\.05, as have ([\d,]+) of all ([\d,]+) .* over ([\d,]+) groups/;
  const [said, units, tests, groups] = line.exec(outcome.stdout)!.slice(1)
    .map((text) => +text.replace(",", ""));
  assert.equal(said, sure);
  assert.ok(sure <= units && units <= tests);
  assert.equal(groups, 15 * 31, "the preamble and 30 articles in each language");
  const active = new Set<number>();
  for (const code of CODES) {
    const { firedTokens } = await countsOf(results, `counts/udhr/${code}.safetensors`);
    firedTokens.forEach((fired, at) => fired > 0 && active.add(at));
  }
  assert.equal(tests, active.size, "all latents that fire are tested");
});

Deno.test("monolinguality and DiffMean are means of sums that the counts have", async () => {
  const { results } = await defaultRun();
  const counts = new Map<string, Counts>();
  for (const code of CODES) {
    counts.set(ORACLE_LANGUAGES[code], await countsOf(results, `counts/udhr/${code}.safetensors`));
  }
  const difference = (language: string, sumIn: (counts: Counts) => bigint) => {
    const mean = (name: string) =>
      Number(sumIn(counts.get(name)!)) / 2 ** 24 / counts.get(name)!.tokens;
    const others = [...counts.keys()].filter((name) => name !== language);
    return mean(language) - others.reduce((sum, name) => sum + mean(name) / others.length, 0);
  };
  for (const { language, layer, index, monolinguality } of await readFeatures(results)) {
    const nu = difference(language, ({ sum }) => sum[+layer * 2048 + +index]);
    assert.ok(Math.abs(nu - +monolinguality) < 1e-9, `${language} ${layer}/${index}`);
  }
  const { languages, layers, width, mean } = await readDiffMean(
    join(results, "diffmean.safetensors"),
  );
  assert.deepEqual(languages, [...counts.keys()].sort());
  assert.deepEqual(layers, [0, 1, 2, 3, 4, 5]);
  for (const at of [0, 1, width + 3, 6 * width - 1]) {
    languages.forEach((language, g) => {
      const expected = difference(language, ({ activations }) => activations!.sum[at]);
      assert.ok(Math.abs(mean[g * 6 * width + at] - expected) < 1e-6, `${language} ${at}`);
    });
  }
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
    [
      ...counts,
      "diffmean.safetensors",
      "features.csv",
      "features.parquet",
      "identification.json",
      "lape.json",
      "report.html",
      "run.json",
    ].sort(),
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

Deno.test("report makes the same page again from what identify left, without the model", () =>
  withFolder(async (folder) => {
    const { results } = await defaultRun();
    const files = ["features.parquet", "identification.json", "lape.json", "run.json"];
    for (const name of files) await Deno.copyFile(join(results, name), join(folder, name));
    const again = ["report", "--out-dir", folder, "--no-maps"];
    const { code, stderr } = await babelscope(again, { cwd: folder, ...NO_ADAPTER });
    assert.equal(code, 0, stderr);
    const [page, first] = await Promise.all(
      [folder, results].map((path) => Deno.readTextFile(join(path, "report.html"))),
    );
    assert.ok(page === first, "the pages differ");
    assert.ok(new TextEncoder().encode(page).length < 5e6);
    assert.match(page, /<svg [^>]*aria-labelledby="entropy-distribution-title"/);
    assert.match(page, /id="search"/, "the script of the page was bundled");
  }));

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

/** Without intervals and q-values, which take seconds. */
const QUICK = ["--bootstrap", "0", "--permutations", "0"];

for (const [job, run] of [["default", defaultRun], ["shared", sharedRun]] as const) {
  const { options, results: expected } = oracleResults(job);
  for (const name of Object.keys(options)) {
    Deno.test(`oracle, ${job} texts: options ${name} give the same features`, async () => {
      const { outcome, results } = await run();
      assert.equal(outcome.code, 0, outcome.stderr);
      const args = ["--in-dir", results, "--in-path", "counts", "--out-dir", `${results}/${name}`];
      const again = await runScript(
        "identify",
        [...args, ...QUICK, "--no-report", ...commandLine(options[name])],
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
      ...["--algorithm", "lape", "--out-dir", results, "--no-report", ...QUICK],
      ...["--dataset-configs", `${texts}:{${CODES}}`],
    ]);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { neurons } = oracleResults(job).neurons;
    await assertFeatures(join(results, "neurons"), neurons);
    const again = await runScript("identify", [
      ...["--algorithm", "lape", "--in-dir", results, "--in-path", "neuron_counts", ...QUICK],
      "--no-report",
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
    const args = ["--config", "run.toml", "--top", "1", "--out_dir", "found", ...QUICK];
    const outcome = await babelscope(["identify", ...args], { cwd, ...NO_ADAPTER });
    assert.equal(outcome.code, 0, outcome.stderr);
    const { features } = oracleResults("shared").results.top_1_per_layer;
    await assertFeatures(join(cwd, "found"), features);
    const { options } = await readJson(join(cwd, "found/run.json"));
    assert.deepEqual([options.top, options.topPerLayer, options.exampleRate], [1, true, 0.3]);
  });
});

Deno.test("--in-path takes a whole path, and reads only the data sets that are named", async () => {
  const { results } = await sharedRun();
  await withFolder(async (cwd) => {
    const outcome = await runScript("identify", [
      ...["--in-path", join(results, "counts"), "--dataset-configs", "my texts:{th,ja}"],
      ...QUICK,
    ], { cwd, ...NO_ADAPTER });
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(
      (await readJson(join(cwd, "results/lape.json"))).sorted_lang,
      ["Japanese", "Thai"],
    );
  });
});

Deno.test("--replicate finds features again in other texts, and says how many", async () => {
  await withFolder(async (cwd) => {
    const quick = [...QUICK, "--report-texts", "0"];
    const outcome = await runScript("identify", [
      ...["--dataset-configs", "udhr:{ja,th}:odd:0:12", "--replicate", "udhr:{ja,th}:even:0:12"],
      ...quick,
    ], { cwd });
    assert.equal(outcome.code, 0, outcome.stderr);
    const again = await runScript("identify", [
      ...["--in-path", "replication_counts", "--out-path", "again", ...quick],
    ], { cwd, ...NO_ADAPTER });
    assert.equal(again.code, 0, again.stderr);
    const [first, second] = await Promise.all(
      ["results", "results/again"].map((folder) => featuresByLanguage(join(cwd, folder))),
    );
    const { languages, all, corpus } = await readJson(join(cwd, "results/replication.json"));
    assert.equal(corpus, "udhr:{ja,th}:even:0:12");
    const table = await readTable(join(cwd, "results/replication.csv"));
    assert.deepEqual(table.language, ["Japanese", "Thai", "all"]);
    let total = 0;
    for (const [row, language] of ["Japanese", "Thai"].entries()) {
      const names = [first, second].map((found) =>
        new Set(found[language].map(([layer, index]) => `${layer}/${index}`))
      );
      const both = names[0].intersection(names[1]).size;
      total += both;
      const expected = [
        ...names.map(({ size }) => size),
        both,
        both / names[0].union(names[1]).size,
      ];
      const { features, features_replication, features_both, jaccard } = languages[language];
      assert.deepEqual([features, features_replication, features_both, jaccard], expected);
      assert.equal(table.features_both[row], String(both));
      assert.match(
        outcome.stdout,
        new RegExp(`^${language} +${expected.slice(0, 3).join(" +")} `, "m"),
      );
    }
    assert.ok(total > 20, "the halves of one text have much in common");
    assert.equal(all.features_both, total);
    assert.ok(all.entropy_spearman > 0.5 && all.same_owner > 0.9);
  });
});

Deno.test("texts that cannot replicate are refused before anything is counted", async () => {
  await withFolder(async (cwd) => {
    const refused = async (args: string[], fault: RegExp) => {
      const outcome = await runScript("identify", args, { cwd, ...NO_ADAPTER });
      assert.equal(outcome.code, 2, outcome.stderr);
      assert.match(outcome.stderr, fault);
      assert.equal(outcome.stderr.trimEnd().split("\n").length, 1);
    };
    const texts = ["--dataset-configs", "udhr:{ja,th}:odd", "--replicate"];
    await refused([...texts, "udhr:{ja,de}:even"], /lacks Thai and has German besides/);
    await refused(["--in-path", "counts", "--replicate", "udhr:th"], /--in-path takes counts/);
    assert.deepEqual(await filesUnder(cwd), []);
  });
});

Deno.test("counts that do not tell documents apart have no intervals, and it is said", async () => {
  await withFolder(async (cwd) => {
    const results = join(cwd, "results");
    const stale = ["diffmean.safetensors", "replication.csv", "replication.json"];
    await Deno.mkdir(results);
    for (const name of stale) await Deno.writeTextFile(join(results, name), "of an earlier run");
    const args = ["--in-dir", `${ROOT}tests/fixtures/oracle/default`, "--in-path", "counts"];
    const outcome = await runScript("identify", [
      ...[...args, "--dataset-configs", "sae:{th,ja,de}", "--no-report"],
    ], { cwd, ...NO_ADAPTER });
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /^These counts do not tell documents apart.*\n$/);
    assert.doesNotMatch(outcome.stdout, /q </);
    for (const row of await readFeatures(results)) {
      const { entropy_low, probability_high, q_value, monolinguality } = row;
      assert.deepEqual([entropy_low, probability_high, q_value], ["", "", ""]);
      assert.notEqual(monolinguality, "");
    }
    const files = await filesUnder(results);
    assert.deepEqual(stale.filter((name) => files.includes(name)), [], "gone with their run");
    assert.equal((await readJson(join(results, "run.json"))).certainty, null);
  });
});

Deno.test("one seed gives one result, another seed other intervals of the same features", async () => {
  const { results } = await sharedRun();
  await withFolder(async (cwd) => {
    const run = async (folder: string, seed: number) => {
      const outcome = await runScript("identify", [
        ...["--in-dir", results, "--in-path", "counts", "--dataset-configs", "my texts:{th,ja,de}"],
        ...[
          "--out-dir",
          folder,
          "--seed",
          String(seed),
          "--bootstrap",
          "50",
          "--permutations",
          "9",
        ],
      ], { cwd, ...NO_ADAPTER });
      assert.equal(outcome.code, 0, outcome.stderr);
      return await readFeatures(join(cwd, folder));
    };
    const [one, same, other] = [await run("a", 1), await run("b", 1), await run("c", 2)];
    assert.deepEqual(one, same);
    const column = (rows: Record<string, string>[], name: string) => rows.map((row) => row[name]);
    assert.deepEqual(column(one, "index"), column(other, "index"));
    assert.notDeepEqual(column(one, "entropy_low"), column(other, "entropy_low"));
  });
});

Deno.test("two at once in one folder: the second says so", async () => {
  const { results } = await sharedRun();
  await withFolder(async (cwd) => {
    using _claim = await claimFolder(join(cwd, "found"));
    const outcome = await runScript("identify", [
      ...["--in-dir", results, "--in-path", "counts", "--out-dir", "found"],
    ], { cwd, ...NO_ADAPTER });
    assert.equal(outcome.code, 2);
    assert.match(
      outcome.stderr,
      /^babelscope identify: Another run of babelscope works in .*found/,
    );
    assert.deepEqual(await filesUnder(join(cwd, "found")), [CLAIM]);
  });
});
