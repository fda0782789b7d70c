/** babelscope generate: files, languages, controls, resuming, the published loop, neurons, bad input. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readTable } from "../lib/data/tables.ts";
import { identifyLape } from "../lib/lape/identify_neurons.ts";
import { identifySaeLape } from "../lib/lape/identify_sae.ts";
import { toLapeJson } from "../lib/lape/lape_json.ts";
import { filesUnder, hashesOf } from "./support/folders.ts";
import { oracleCounts } from "./support/oracle_counts.ts";
import { type Outcome, ROOT, runScript, withFolder } from "./support/run.ts";

const LAYERS = "[0, 1, 2, 3, 4, 5]";

/** Writes the features that the oracle's counts give. */
async function withFeatures(body: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const write = (name: string, lape: unknown) =>
      Deno.writeTextFile(join(folder, name), JSON.stringify(lape));
    const latents = oracleCounts("shared", "sae");
    const neurons = oracleCounts("shared", "neurons");
    await write("lape.json", toLapeJson(identifySaeLape(latents, { exampleRate: 0.5 }), latents));
    await write("neurons.json", toLapeJson(identifyLape(neurons), neurons));
    await body(folder);
  });
}

function generate(folder: string, out: string, args: readonly string[]): Promise<Outcome> {
  const features = args.some((arg) => /^--(lape|in).*path$/.test(arg))
    ? []
    : ["--lape-result-path", join(folder, "lape.json")];
  return runScript("generate", ["--out-dir", join(folder, out), ...features, ...args]);
}

interface Row {
  readonly lang: string;
  readonly multiplier: number;
  readonly control: number;
  readonly seed: number;
  readonly tokens: number;
  readonly ended: number;
  readonly text: string;
}

async function rowsOf(texts: string): Promise<Row[]> {
  const columns = await readTable(join(texts, "generations.parquet"));
  return columns.lang.map((_, i) =>
    Object.fromEntries(
      Object.entries(columns).map(([name, cells]) => {
        const cell = cells[i];
        return [name, typeof cell === "bigint" ? Number(cell) : cell];
      }),
    ) as unknown as Row
  );
}

/** Share of a text's letters that are Thai. */
function thai(text: string): number {
  const letters = text.match(/\p{L}/gu) ?? [];
  return letters.filter((letter) => /\p{Script=Thai}/u.test(letter)).length /
    Math.max(1, letters.length);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

Deno.test("all languages and the model as it is; Thai texts where it is steered to Thai, not under controls", () =>
  withFeatures(async (folder) => {
    const args = ["--times", "4", "--max-new-token", "20", "--control", "1"];
    const { code, stdout, stderr } = await generate(folder, "out", args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^towards +multiplier +text\n/);
    assert.match(stdout, /\n\(as it is\) /);
    assert.match(stdout, /\nThai +0\.4 +\S*[\u0e00-\u0e7f]/);
    const texts = join(folder, "out/text_generation");
    const rows = await rowsOf(texts);
    assert.equal(rows.length, (1 + 15 * 2) * 4);
    const share = (lang: string, control: number) =>
      mean(
        rows.filter((row) => row.lang === lang && row.control === control)
          .map(({ text }) => thai(text)),
      );
    assert.ok(share("th", 0) > 0.9, `${share("th", 0)} of the letters are Thai`);
    assert.ok(share("th", 1) < 0.3 && share("baseline", 0) < 0.3 && share("de", 0) === 0);
    const files = await filesUnder(texts);
    const name = `seed_0_mult_0.4_token_20_last_token_False_layer_${LAYERS}.csv`;
    assert.ok(files.includes(`th/${name}`) && files.includes(`th/control_1/${name}`));
    assert.ok(files.includes("baseline/seed_0_mult_0.0_token_20_last_token_False_layer_[].csv"));
    assert.equal(files.length, 1 + 15 * 2 + ["csv", "parquet", "run.json"].length);
    const csv = await readTable(join(texts, "th", name));
    assert.deepEqual(Object.keys(csv), ["seed", "generated_text"]);
    const own = rows.filter(({ lang, control }) => lang === "th" && control === 0);
    assert.deepEqual(csv.seed, own.map(({ seed }) => String(seed)));
    assert.deepEqual(csv.generated_text, own.map(({ text }) => text));
    assert.deepEqual(own.map(({ seed }) => seed), [0, 1, 2, 3]);
    const run = JSON.parse(await Deno.readTextFile(join(texts, "run.json")));
    assert.deepEqual(run.sampling, { temperature: 0.6, topK: 50, topP: 0.9 });
    assert.equal(run.jobs, 31);
    assert.match(run.lape.sha256, /^[0-9a-f]{64}$/);
    for (const row of rows) assert.ok(!row.text.includes("<|end_of_text|>"));
  }));

Deno.test("an interrupted run goes on where it was; texts do not depend on what is written together", () =>
  withFeatures(async (folder) => {
    const args = ["--lang", "ja", "tur", "--multiplier", "-0.2", "0.3", "--times", "3"];
    const whole = await generate(folder, "whole", [...args, "--max-new-token", "14"]);
    assert.equal(whole.code, 0, whole.stderr);
    const checkpoint = join(folder, "parts/text_generation/checkpoint.jsonl");
    const child = new Deno.Command(join(ROOT, "scripts/generate.ts"), {
      args: [
        ...["--out-dir", join(folder, "parts"), "--lape-result-path", join(folder, "lape.json")],
        ...[...args, "--max-new-token", "14", "--batch-size", "2"],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const lines = async () =>
      (await Deno.readTextFile(checkpoint).catch(() => "")).split("\n").length - 1;
    while (await lines() < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    await child.status;
    const resumed = await generate(
      ...[folder, "parts", [...args, "--max-new-token", "14", "--batch-size", "2"]] as const,
    );
    assert.equal(resumed.code, 0, resumed.stderr);
    const texts = join(folder, "parts/text_generation");
    const run = JSON.parse(await Deno.readTextFile(join(texts, "run.json")));
    assert.ok(run.jobs_resumed >= 1 && run.jobs_resumed < 4, `${run.jobs_resumed} jobs`);
    const without = async (path: string) => {
      const { "run.json": _, ...others } = await hashesOf(path);
      return others;
    };
    assert.deepEqual(await without(texts), await without(join(folder, "whole/text_generation")));
    const rows = await rowsOf(texts);
    assert.deepEqual(
      rows.filter(({ seed }) => seed === 0).map(({ lang, multiplier }) => [lang, multiplier]),
      [["ja", -0.2], ["ja", 0.3], ["tur", -0.2], ["tur", 0.3]],
    );
  }));

Deno.test("greedy texts are the same for all seeds and go on after the prompt; steering may spare it", () =>
  withFeatures(async (folder) => {
    const args = ["--lang", "de", "--times", "2", "--max-new-token", "8", "--greedy"];
    const prompt = ["--prompt", "The history of"];
    const features = ["--in_path", join(folder, "lape.json")];
    const runs = [[], ["--last-token-only"]].map(async (more, i) => {
      const { code, stderr } = await generate(
        ...[folder, `out${i}`, [...args, ...prompt, ...features, ...more]] as const,
      );
      assert.equal(code, 0, stderr);
      const texts = join(folder, `out${i}/text_generation`);
      const last = i === 0 ? "False" : "True";
      const name = `de/seed_0_mult_0.4_token_8_last_token_${last}_layer_${LAYERS}.csv`;
      assert.ok((await filesUnder(texts)).includes(name));
      const rows = await rowsOf(texts);
      assert.equal(rows[0].text, rows[1].text);
      assert.ok(!rows[0].text.includes("history"));
      return rows[0].text;
    });
    const [all, last] = await Promise.all(runs);
    assert.notEqual(all, last);
  }));

Deno.test("--compat paper: the published loop; the last ids of a text that is steered at the end only", () =>
  withFeatures(async (folder) => {
    const args = ["--lang", "zh", "--times", "2", "--max-new-token", "6", "--compat", "paper"];
    const loop = await generate(folder, "loop", args);
    assert.equal(loop.code, 0, loop.stderr);
    const rows = await rowsOf(join(folder, "loop/text_generation"));
    assert.deepEqual(rows.map(({ tokens }) => tokens), [6, 6]);
    assert.ok(rows.every(({ text }) => /\p{Script=Han}/u.test(text)));
    // no end token: the slice of six ids is the answer
    const last = await generate(folder, "last", [...args, "--last-token-only"]);
    assert.equal(last.code, 0, last.stderr);
    const plain = await generate(folder, "plain", [...args.slice(0, -2), "--last-token-only"]);
    assert.equal(plain.code, 0, plain.stderr);
    assert.deepEqual(
      await rowsOf(join(folder, "last/text_generation")),
      await rowsOf(join(folder, "plain/text_generation")),
    );
  }));

Deno.test("neurons are set to values", () =>
  withFeatures(async (folder) => {
    const args = [
      ...["--lang", "bg", "--intervention-type", "neuron", "--value", "2.5", "--times", "2"],
      ...["--max-new-token", "8", "--lape-result-path", join(folder, "neurons.json")],
    ];
    const { code, stderr } = await generate(folder, "out", args);
    assert.equal(code, 0, stderr);
    const texts = join(folder, "out/text_generation");
    const name = `bg/seed_0_neuron_fixed_2.5_token_8_last_token_False_layer_${LAYERS}.csv`;
    assert.ok((await filesUnder(texts)).includes(name));
    assert.equal((await rowsOf(texts)).length, 2);
  }));

Deno.test("wrong options and files that do not fit are refused in one sentence", () =>
  withFeatures(async (folder) => {
    const neurons = ["--lape-result-path", join(folder, "neurons.json")];
    const cases: [string[], RegExp][] = [
      [["--lang", "xx1"], /Unknown language "xx1"/],
      [["--lang", "sw"], /--lang sw: \S+lape\.json has no features of Swahili/],
      [["--top-k", "0"], /--top-k: expected a whole number from 1 to 512, got "0"/],
      [["--temperature", "-1"], /--temperature: expected a number of at least 0/],
      [["--layer", "layers.*.mlp.act_fn"], /--layer names neurons/],
      [["--intervention-type", "neuron", "--layer", "layers.0.mlp"], /names hookpoints of SAEs/],
      [["--lang", "fr", "--intervention-type", "neuron", ...neurons], /no features of French/],
      [["--lape-result-path", join(folder, "nothing.json")], /nothing\.json/],
      [["--lape-value-type", "median"], /expected .*max, min, avg, got "median"/],
      [["--prompt", "a ".repeat(400), "--block-tokens", "64"], /has 40\d tokens, expected 1 to 64/],
    ];
    await Promise.all(cases.map(async ([args, message], i) => {
      const { code, stdout, stderr } = await generate(folder, `bad${i}`, args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /^babelscope generate: [^\n]*\.\n$/);
      assert.match(stderr, message);
    }));
  }));
