/** babelscope ppl: perplexities with and without interventions, against an independent implementation. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readTable } from "../lib/data/tables.ts";
import { identifyLape } from "../lib/lape/identify_neurons.ts";
import { identifySaeLape } from "../lib/lape/identify_sae.ts";
import { toLapeJson } from "../lib/lape/lape_json.ts";
import { filesUnder } from "./support/folders.ts";
import { longTest } from "./support/opt_in.ts";
import { ORACLE_LANGUAGES, oracleCounts } from "./support/oracle_counts.ts";
import { type Outcome, ROOT, runScript, withFolder } from "./support/run.ts";

const ORACLE = join(ROOT, "tests/fixtures/oracle");
/** [case][intervened][impacted], of "normal" [impacted]: perplexity of each text. */
const EXPECTED = JSON.parse(await Deno.readTextFile(join(ORACLE, "ppl.json")));
const TEXTS: Record<string, string[]> = JSON.parse(
  await Deno.readTextFile(join(ORACLE, "texts.json")),
);
const ALL = `{${Object.keys(ORACLE_LANGUAGES)}}`;

/** Relative; f32 sums of another order. The largest that was seen is 1e-6. */
const TOLERANCE = 1e-4;

/** What is written of each language. */
interface Summary {
  readonly perplexities: number[];
  readonly mean_perplexity: number;
  readonly median_perplexity: number;
  readonly corpus_perplexity: number;
}

async function readJson(path: string) {
  return JSON.parse(await Deno.readTextFile(path));
}

/** Writes the oracle's texts, and its features as identified from its counts. */
async function withOracle(body: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "texts"));
    for (const code of Object.keys(ORACLE_LANGUAGES)) {
      const lines = TEXTS[code].map((text) => `${JSON.stringify({ text })}\n`);
      await Deno.writeTextFile(join(folder, `texts/${code}.jsonl`), lines.join(""));
    }
    const latents = oracleCounts("shared", "sae");
    const neurons = oracleCounts("shared", "neurons");
    const features = identifySaeLape(latents, { exampleRate: 0.5 });
    await Deno.writeTextFile(
      join(folder, "lape.json"),
      JSON.stringify(toLapeJson(features, latents)),
    );
    await Deno.writeTextFile(
      join(folder, "neurons.json"),
      JSON.stringify(toLapeJson(identifyLape(neurons), neurons)),
    );
    await body(folder);
  });
}

function ppl(folder: string, args: readonly string[]): Promise<Outcome> {
  return runScript("ppl", ["--out-dir", join(folder, "out"), ...args]);
}

/** Options of the first rows of some languages. */
function texts(folder: string, codes: string, rows: number): string[] {
  return ["--dataset-configs", `${folder}/texts:${codes}:train:0:${rows}`];
}

/** Largest relative difference of what was written from what the oracle says. */
function largestDifference(
  found: Record<string, Summary>,
  expected: Record<string, readonly number[]>,
): number {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
  return Math.max(
    ...Object.entries(found).flatMap(([language, { perplexities }]) => {
      assert.equal(perplexities.length, expected[language].length);
      return perplexities.map((value, i) => Math.abs(value / expected[language][i] - 1));
    }),
  );
}

/** The oracle's cases, and what asks for them. */
const CASES = [
  {
    name: "sae_max_-0.2",
    folder: "sae-features_max_-0.2",
    features: "lape.json",
    options: ["--intervention-type=sae-features", "--multiplier=-0.2"],
  },
  {
    name: "sae_max_0.2",
    folder: "sae-features_max_0.2",
    features: "lape.json",
    options: ["--intervention-type=sae-features", "--multiplier=0.2"],
  },
  {
    name: "neuron_fixed_0",
    folder: "neuron_fixed_0",
    features: "neurons.json",
    options: ["--intervention-type=neuron"],
  },
];

/** Intervenes in some languages, by default all that have features, and compares all impacted ones. */
async function assertCase(
  folder: string,
  expected: typeof CASES[number],
  languages: readonly string[] = [],
): Promise<void> {
  const { code, stderr } = await ppl(folder, [
    ...texts(folder, ALL, 4),
    ...["--lape-result-path", join(folder, expected.features), ...expected.options],
    ...(languages.length > 0 ? ["--intervention-lang", ...languages] : []),
  ]);
  assert.equal(code, 0, stderr);
  const out = join(folder, "out/ppl", expected.folder);
  const effects = await readJson(join(out, "effects.json"));
  const intervened: string[] = effects.languages.map(({ code }: { code: string }) => code);
  assert.ok(languages.every((code, i) => code === intervened[i]));
  const differences = await Promise.all(intervened.map(async (code) =>
    largestDifference(
      await readJson(join(out, `${code}.json`)),
      EXPECTED[expected.name][ORACLE_LANGUAGES[code]],
    )
  ));
  const largest = Math.max(...differences);
  assert.ok(largest < TOLERANCE, `${intervened}: ${largest}`);
}

Deno.test("oracle: perplexities of every text of 15 languages", () =>
  withOracle(async (folder) => {
    const { code, stdout, stderr } = await ppl(folder, texts(folder, ALL, 12));
    assert.equal(code, 0, stderr);
    const out = join(folder, "out/ppl/normal");
    assert.deepEqual(await filesUnder(out), ["normal.json", "run.json"]);
    const found = await readJson(join(out, "normal.json"));
    const largest = largestDifference(found, EXPECTED.normal);
    assert.ok(largest < TOLERANCE, `${largest}`);
    assert.deepEqual(Object.keys(found), Object.values(ORACLE_LANGUAGES), "in the order given");

    const expected: number[] = EXPECTED.normal.Thai;
    const sorted = expected.toSorted((a, b) => a - b);
    const close = (value: number, reference: number) =>
      assert.ok(Math.abs(value / reference - 1) < TOLERANCE, `${value}, not ${reference}`);
    close(found.Thai.mean_perplexity, expected.reduce((sum, value) => sum + value, 0) / 12);
    close(found.Thai.median_perplexity, (sorted[5] + sorted[6]) / 2);
    assert.match(
      stdout,
      /^language {2,}texts {2,}tokens {2,}mean {2,}median {2,}corpus perplexity/,
    );
    assert.match(stdout, new RegExp(`\nThai +12 .* ${found.Thai.mean_perplexity.toFixed(2)} `));
    const { step, corpora, lape, seconds } = await readJson(join(out, "run.json"));
    assert.deepEqual([step, corpora.length, lape], ["ppl", 15, null]);
    assert.ok(seconds > 0);
  }));

for (const expected of CASES) {
  const testNow = expected.name === "sae_max_0.2" ? longTest : Deno.test;
  testNow(
    `oracle: ${expected.name}, one language intervened, all impacted`,
    () => withOracle((folder) => assertCase(folder, expected, ["ja"])),
  );

  longTest(
    `oracle: ${expected.name}, every language intervened, all impacted`,
    () => withOracle((folder) => assertCase(folder, expected)),
  );
}

/** Three languages of the oracle's, steered away from, with two controls each. */
function steered(folder: string, more: readonly string[] = []): string[] {
  return [
    ...texts(folder, "{en,de,th}", 4),
    ...["--lape-result-path", join(folder, "lape.json"), "--intervention-type", "sae-features"],
    ...["--intervention-lang", "th", "de", "--multiplier", "-0.2", "--control", "2", ...more],
  ];
}

const STEERED = "out/ppl/sae-features_max_-0.2";

Deno.test("interventions: matrix, effects and controls follow from the perplexities", () =>
  withOracle(async (folder) => {
    const { code, stdout, stderr } = await ppl(folder, steered(folder));
    assert.equal(code, 0, stderr);
    const out = join(folder, STEERED);
    assert.deepEqual(await filesUnder(out), [
      ...["change_matrix.csv", "change_matrix.parquet"],
      ...["control_1/de.json", "control_1/th.json", "control_2/de.json", "control_2/th.json"],
      ...["de.json", "effects.json", "normal.json", "run.json", "th.json"],
    ]);
    const scored = async (name: string): Promise<Record<string, Summary>> =>
      await readJson(join(out, `${name}.json`));
    const normal = await scored("normal");
    const matrix = await readTable(join(out, "change_matrix.parquet"));
    const effects = await readJson(join(out, "effects.json"));
    assert.deepEqual(matrix.intervened, [
      ..."th ".repeat(9).trim().split(" "),
      ...Array(9).fill("de"),
    ]);
    assert.deepEqual(matrix.control.map(Number), [
      0,
      0,
      0,
      1,
      1,
      1,
      2,
      2,
      2,
      0,
      0,
      0,
      1,
      1,
      1,
      2,
      2,
      2,
    ]);
    const names: Record<string, string> = { en: "English", de: "German", th: "Thai" };
    const ratios = new Map<string, number>();
    for (const row of matrix.control.keys()) {
      const intervened: string = String(matrix.intervened[row]);
      const impacted: string = String(matrix.impacted[row]);
      const control = Number(matrix.control[row]);
      const changed = await scored(control === 0 ? intervened : `control_${control}/${intervened}`);
      const [before, after] = [normal[names[impacted]], changed[names[impacted]]];
      const differences = after.perplexities.map((value, i) => value - before.perplexities[i]);
      const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
      assert.ok(Math.abs(Number(matrix.mean_change[row]) - mean) < 1e-9);
      const ratio = after.corpus_perplexity / before.corpus_perplexity;
      assert.ok(Math.abs(Number(matrix.corpus_ratio[row]) - ratio) < 1e-12);
      assert.equal(Number(matrix.own[row]), Number(intervened === impacted));
      ratios.set(`${intervened} ${control} ${impacted}`, Math.log(ratio));
    }

    const log = (key: string) => ratios.get(key) ?? NaN;
    const [thai, german] = effects.languages;
    assert.deepEqual([thai.code, thai.language, thai.features], ["th", "Thai", 76]);
    const expected: [{ mean: number; low: number; high: number }, number][] = [
      [thai.own, log("th 0 th")],
      [thai.others, (log("th 0 en") + log("th 0 de")) / 2],
      [thai.control_own, (log("th 1 th") + log("th 2 th")) / 2],
      [german.others, (log("de 0 en") + log("de 0 th")) / 2],
      [
        german.control_others,
        [1, 2].flatMap((n) => [log(`de ${n} en`), log(`de ${n} th`)])
          .reduce((sum, value) => sum + value / 4, 0),
      ],
      [effects.mean.own, (log("th 0 th") + log("de 0 de")) / 2],
    ];
    for (const [{ mean, low, high }, value] of expected) {
      assert.ok(Math.abs(mean - value) < 1e-9, `${mean}, not ${value}`);
      assert.ok(low < mean && mean < high, `${mean} in ${low} to ${high}`);
    }
    // what the paper claims, plainly visible here
    assert.ok(thai.own.low > thai.others.high && thai.own.low > thai.control_own.high);
    assert.deepEqual(effects.diagonal_dominance, { largest: 2, smallest: 0, of: 2 });
    assert.match(stdout, /\nThe own language loses most in 2 of 2 languages, and least in 0\.\n/);
    assert.match(stdout, /\nfeatures of {2,}features .* own, random features /);
  }));

Deno.test("a run that was killed goes on, and ends as one that was not, whatever its batches", () =>
  withOracle(async (folder) => {
    assert.equal((await ppl(folder, steered(folder))).code, 0);
    const expected = await withoutRunJson(join(folder, STEERED));
    await Deno.remove(join(folder, STEERED), { recursive: true });

    const small = steered(folder, ["--block-tokens", "600"]);
    const scores = join(folder, STEERED, "scores.jsonl");
    const process = new Deno.Command(`${ROOT}scripts/ppl.ts`, {
      args: ["--out-dir", join(folder, "out"), ...small],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    while (await linesIn(scores) < 5) await new Promise((resolve) => setTimeout(resolve, 10));
    process.kill("SIGKILL");
    await process.status;

    const { code, stderr } = await ppl(folder, small);
    assert.equal(code, 0, stderr);
    const { parts_resumed } = await readJson(join(folder, STEERED, "run.json"));
    assert.ok(parts_resumed >= 4 && parts_resumed < 21, `${parts_resumed}`);
    assert.deepEqual(await withoutRunJson(join(folder, STEERED)), expected);
  }));

async function linesIn(path: string): Promise<number> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.split("\n").length - 1;
}

/** What is in the files of a folder. */
async function withoutRunJson(folder: string): Promise<Record<string, Uint8Array>> {
  const names = (await filesUnder(folder)).filter((name) => name !== "run.json");
  const contents = await Promise.all(names.map((name) => Deno.readFile(join(folder, name))));
  return Object.fromEntries(names.map((name, i) => [name, contents[i]]));
}

Deno.test("what cannot be done is said in one sentence", () =>
  withOracle(async (folder) => {
    const sae = ["--intervention-type", "sae-features"];
    const latents = ["--lape-result-path", join(folder, "lape.json")];
    const cases: [string[], RegExp][] = [
      [[...sae, ...latents, "--layer", "layers.2.mlp.act_fn"], /sae-features .*names neurons/],
      [["--intervention-type=neuron", "--layer=layers.2.mlp"], /neuron .*names hookpoints of SAEs/],
      [
        ["--intervention-type", "neuron", ...latents],
        /names number \d+ of the 384 neurons of layers/,
      ],
      [[...sae, ...latents, "--intervention-lang", "sw"], /has no features of Swahili/],
      [[...sae, ...latents, "--intervention-lang", "xx1"], /Unknown language "xx1"/],
      [[...sae, "--lape-result-path", "no.json"], /Cannot read no\.json: it does not exist/],
      [["--intervention-type", "sae"], /expected sae-features, neuron, got "sae"/],
      [["--lape-value-type", "max"], /final_indice_global_max_active/],
      [["--block-tokens", "20"], /Row 0 of .* has \d+ tokens, but a batch holds 20/],
    ];
    await Promise.all(cases.map(async ([args, message]) => {
      // a folder each: two runs in one folder are refused
      const own = ["--out-path", String(Math.random())];
      const { code, stdout, stderr } = await ppl(folder, [
        ...texts(folder, "en", 1),
        ...own,
        ...args,
      ]);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /^babelscope ppl: [^\n]*\.\n$/);
      assert.match(stderr, message);
    }));
  }));
