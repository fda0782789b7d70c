/** babelscope count as a whole: what it writes does not depend on how often it was stopped. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256File } from "../lib/data/files.ts";
import { claimFolder } from "../lib/data/folder_claim.ts";
import { type Counts, decodeCounts } from "../lib/formats/counts.ts";
import { fromBytes } from "../lib/formats/safetensors.ts";
import { equalCounts, mergeCounts } from "../lib/lape/counts.ts";
import { changeByte, copyFolder, filesUnder, hashesOf, writeCorpus } from "./support/folders.ts";
import { babelscope, type Outcome, ROOT, runScript, withFolder } from "./support/run.ts";

/** Where a step that asks for an adapter fails. */
const NO_ADAPTER = { env: { BABELSCOPE_ADAPTER: "none" } };

/** Texts that take about a second on a slow adapter. */
const TEXTS = "udhr:{en,zh}:train:0:24";
const MODEL = `${ROOT}assets/demo/model`;
const SAES = `${ROOT}assets/demo/sae`;

/** Counts into a folder; anything but success fails the test. */
async function count(out: string, ...args: string[]): Promise<Outcome> {
  const outcome = await runScript("count", ["--out-dir", out, ...args]);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

async function countsOf(path: string): Promise<Counts> {
  return decodeCounts(await Deno.readFile(path), path);
}

async function corporaOf(counts: string) {
  return JSON.parse(await Deno.readTextFile(join(counts, "run.json"))).corpora;
}

/** More short texts of one language than go into the largest batch tried. */
async function shortTexts(): Promise<Record<string, string[]>> {
  const path = `${ROOT}tests/fixtures/oracle/default_texts.json`;
  const texts: Record<string, string[]> = JSON.parse(await Deno.readTextFile(path));
  const short = Object.values(texts).flat().filter(({ length }) => length < 60);
  return { en: short.slice(0, 67), th: short.slice(67, 100) };
}

/** Hashes of the counts files under a folder: of all but run.json, which has times. */
async function countsFiles(folder: string): Promise<Record<string, string>> {
  const { "run.json": _, ...files } = await hashesOf(folder);
  return files;
}

/** Name and time of the checkpoint in a folder; empty if there is none. */
async function checkpoint(out: string): Promise<string> {
  const name = (await filesUnder(out)).find((name) => name.endsWith(".partial.safetensors"));
  if (name === undefined) return "";
  // The file may be gone by now, for its count is done.
  const { mtime } = await Deno.stat(join(out, name)).catch(() => ({ mtime: undefined }));
  return `${name} ${mtime?.getTime()}`;
}

/** Starts counting text by text and stops it once there is a new checkpoint. */
async function stopCounting(out: string, args: string[], signal: Deno.Signal) {
  const before = await checkpoint(out);
  const child = new Deno.Command(`${ROOT}scripts/count.ts`, {
    args: ["--out-dir", out, "--checkpoint-every", "0", "--batch-size", "1", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const deadline = Date.now() + 60_000;
  while (await checkpoint(out) === before && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill(signal);
  return { ...await child.status, stderr: await stderr };
}

Deno.test("counts files are equal byte for byte for every batch size", async () => {
  await withFolder(async (folder) => {
    const texts = ["--dataset-configs", `${folder}/texts:{en,th}`];
    await writeCorpus(join(folder, "texts"), await shortTexts());
    await count(join(folder, "whole"), ...texts);
    const expected = await countsFiles(join(folder, "whole/counts"));
    assert.deepEqual(Object.keys(expected), ["texts/en.safetensors", "texts/th.safetensors"]);
    const few = join(folder, "few");
    await count(few, ...texts, "--batch-size", "7");
    assert.deepEqual(await countsFiles(join(few, "counts")), expected, "7 per batch");
    const out = join(folder, "tokens");
    await count(out, ...texts, "--block_tokens", "100");
    assert.deepEqual(await countsFiles(join(out, "counts")), expected, "300 tokens per batch");
  });
});

Deno.test("a corpus counted in two parts and merged equals the whole", async () => {
  await withFolder(async (folder) => {
    const counted = async (name: string, ...specs: string[]) => {
      await count(join(folder, name), "--dataset-configs", ...specs);
      return await countsOf(join(folder, name, "counts/udhr/zh.safetensors"));
    };
    const whole = await counted("whole", "udhr:zh");
    const [first, second] = ["udhr:zh:train:0:30", "udhr:zh:train:30:999"];
    assert.ok(whole.firedTokens.some((fired) => fired > 0));
    assert.equal(whole.documents?.labels.length, 31);
    assert.ok(whole.activations);
    assert.ok(equalCounts(await counted("both", second, first), whole), "in one run");
    const parts = [await counted("first", first), await counted("second", second)];
    assert.equal(parts[0].examples, 30);
    assert.ok(equalCounts(mergeCounts(parts[1], parts[0]), whole), "in two runs");
  });
});

Deno.test("after kill -9 a count goes on where it was, to the same bytes", async () => {
  await withFolder(async (folder) => {
    const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
    const texts = ["--dataset-configs", TEXTS];
    await count(whole, ...texts);
    const { signal } = await stopCounting(killed, texts, "SIGKILL");
    assert.equal(signal, "SIGKILL");
    const left = await filesUnder(join(killed, "counts"));
    assert.ok(left.includes("udhr/en.partial.safetensors"), left.join());
    assert.ok(!left.includes("run.json"), "does not say that it is done");
    const partial = await countsOf(join(killed, "counts/udhr/en.partial.safetensors"));
    assert.ok(partial.examples > 0 && partial.examples < 24);

    const { stdout } = await count(killed, ...texts);
    assert.match(stdout, new RegExp(`English .* resumed after ${partial.examples}$`, "m"));
    const [{ resumed_examples: resumed }] = await corporaOf(join(killed, "counts"));
    assert.equal(resumed, partial.examples);
    const files = await countsFiles(join(killed, "counts"));
    const unfinished = ([name]: [string, string]) => !name.endsWith(".part");
    assert.deepEqual(
      Object.fromEntries(Object.entries(files).filter(unfinished)),
      await countsFiles(join(whole, "counts")),
    );
  });
});

Deno.test("a count killed again and again ends in the same bytes", async () => {
  await withFolder(async (folder) => {
    const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
    const texts = ["--dataset-configs", "udhr:ja:train:0:30"];
    await count(whole, ...texts);
    const partial = join(killed, "counts/udhr/ja.partial.safetensors");
    const progress: number[] = [];
    for (let kill = 0; kill < 3; kill++) {
      await stopCounting(killed, texts, "SIGKILL");
      progress.push((await countsOf(partial)).examples);
    }
    const [first, second, third] = progress;
    assert.ok(first < second && second < third, `${progress}: goes on, does not start over`);
    await count(killed, ...texts);
    const path = "counts/udhr/ja.safetensors";
    assert.equal(await sha256File(join(killed, path)), await sha256File(join(whole, path)));
  });
});

Deno.test("Ctrl-C stops with one line, and the same command resumes", async () => {
  await withFolder(async (out) => {
    const args = ["--dataset-configs", "udhr:en:train:0:24"];
    const { code, stderr } = await stopCounting(out, args, "SIGINT");
    assert.equal(code, 130);
    assert.equal(
      stderr.trimEnd().split("\n").at(-1),
      "Interrupted; run the same command again to resume.",
    );
    assert.match((await count(out, ...args)).stdout, / resumed after \d+$/m);
  });
});

Deno.test("counts are taken only when everything they were made from is the same", async () => {
  await withFolder(async (folder) => {
    const [model, saes, corpus, out] = ["model", "saes", "texts", "out"]
      .map((name) => join(folder, name));
    await copyFolder(MODEL, model);
    await copyFolder(SAES, saes);
    await writeCorpus(corpus, { en: ["one text", "and another"], de: ["ein Text", "noch einer"] });
    const args = [
      ...["--dataset-configs", `${corpus}:{en,de}`],
      ...["--model", model, "--sae-model", saes],
    ];
    const hookpoints = ["--layer", "layers.{0,3}.mlp"];
    const reused = async (more = hookpoints): Promise<boolean[]> => {
      await count(out, ...args, ...more);
      const corpora = await corporaOf(join(out, "counts"));
      return corpora.map(({ reused }: { reused: boolean }) => reused);
    };
    assert.deepEqual(await reused(), [false, false]);

    // Where no adapter is asked for, nothing is counted.
    const again = await runScript("count", ["--out-dir", out, ...args, ...hookpoints], NO_ADAPTER);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(again.stdout.match(/was there$/gm)?.length, 2);

    await Deno.writeTextFile(join(model, "README.md"), "decides nothing");
    await changeByte(join(saes, "layers.5.mlp/sae.safetensors"));
    assert.deepEqual(
      await reused([...hookpoints, "--block-tokens", "512"]),
      [true, true],
      "what has no part in it",
    );

    await writeCorpus(corpus, { de: ["ein Text", "ein anderer"] });
    assert.deepEqual(await reused(), [true, false], "one language's text");
    await changeByte(join(model, "model.safetensors"), 3);
    assert.deepEqual(await reused(), [false, false], "a weight of the model");
    await changeByte(join(saes, "layers.3.mlp/sae.safetensors"), 3);
    assert.deepEqual(await reused(), [false, false], "a weight of an SAE");
    const one = ["--layer", "layers.0.mlp"];
    assert.deepEqual(await reused(one), [false, false], "the hookpoints");
    assert.deepEqual(await reused(one), [true, true]);
    const groups = [...one, "--document-groups", "7"];
    assert.deepEqual(await reused(groups), [false, false], "the groups of documents");
    assert.deepEqual(await reused([...groups, "--exclude-bos"]), [false, false], "BOS");
    assert.deepEqual(await reused([...groups, "--exclude-bos"]), [true, true]);
    assert.deepEqual(await reused([...one, "--compat", "paper"]), [false, false], "published bugs");
  });
});

Deno.test("counts of different adapters or kernels are pooled with a warning", async () => {
  await withFolder(async (out) => {
    const first = await count(out, "--dataset-configs", "udhr:en:train:0:3");
    assert.doesNotMatch(first.stderr, /different adapters/);
    const specs = ["udhr:en:train:0:3", "udhr:de:train:0:3"];
    const both = await count(out, "--dataset-configs", ...specs, "--kernels", "tile");
    assert.match(both.stderr, /different adapters \(.*texture kernels.*tile kernels.*\)/);
    assert.match(both.stdout, /English .* was there/);
  });
});

Deno.test("a damaged counts file is made anew", async () => {
  await withFolder(async (out) => {
    const args = ["--dataset-configs", "udhr:en:train:0:2"];
    await count(out, ...args);
    const path = join(out, "counts/udhr/en.safetensors");
    const sound = await sha256File(path);
    await Deno.truncate(path, 1000);
    await count(out, ...args);
    assert.equal(await sha256File(path), sound);
  });
});

Deno.test("counts have the original's tensors and say what was counted", async () => {
  await withFolder(async (cwd) => {
    const outcome = await babelscope([
      ...["count", "--dataset_configs", "udhr:ko:train:0:3"],
      ...["--layer", "model.layers.[0-1].mlp", "layers.{3..4}.mlp"],
    ], { cwd });
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /^udhr +Korean +3 +\d+ /m);
    const path = join(cwd, "results/counts/udhr/ko.safetensors");
    const tensors = fromBytes(await Deno.readFile(path), path);
    for (
      const name of [
        "over_zero_token",
        "over_zero_example",
        "over_zero_total",
        "max_active_over_zero",
        "min_active_over_zero",
      ]
    ) {
      assert.deepEqual(tensors.info(name).shape, [4, 2048], name);
    }
    assert.equal(tensors.metadata.num_examples, "3");
    assert.ok(Number(tensors.metadata.num_tokens) > 100);
    const { hookpoints } = JSON.parse(
      await Deno.readTextFile(join(cwd, "results/counts/run.json")),
    );
    assert.deepEqual(hookpoints, ["layers.0.mlp", "layers.1.mlp", "layers.3.mlp", "layers.4.mlp"]);
  });
});

Deno.test("documents are counted apart, by article or in as many groups as asked for", async () => {
  await withFolder(async (folder) => {
    const labels = async (name: string, ...args: string[]) => {
      const out = join(folder, name);
      await count(
        out,
        "--dataset-configs",
        "udhr:en:train:0:24",
        "--layer",
        "layers.0.mlp",
        ...args,
      );
      const counts = await countsOf(join(out, "counts/udhr/en.safetensors"));
      return { counts, labels: counts.documents?.labels };
    };
    const articles = await labels("articles");
    const two = await labels("two", "--document-groups", "2");
    const none = await labels("none", "--document-groups", "0");
    assert.ok(articles.labels!.every((label) => /^udhr:\d+$/.test(label)), `${articles.labels}`);
    assert.deepEqual(two.labels, ["udhr:0/2", "udhr:1/2"]);
    assert.equal(none.labels, undefined);
    const { documents: _, ...rest } = articles.counts;
    assert.ok(equalCounts(rest, none.counts));
  });
});

Deno.test("--exclude-bos leaves one token of every text out, and examples in", async () => {
  await withFolder(async (folder) => {
    const texts = ["--dataset-configs", "udhr:en:train:0:6", "--layer", "layers.{0,5}.mlp"];
    await count(join(folder, "all"), ...texts);
    await count(join(folder, "without"), ...texts, "--exclude-bos");
    const all = await countsOf(join(folder, "all/counts/udhr/en.safetensors"));
    const without = await countsOf(join(folder, "without/counts/udhr/en.safetensors"));
    assert.deepEqual([without.examples, without.tokens], [6, all.tokens - 6]);
    const slots = ({ firedTokens }: Counts) => firedTokens.reduce((sum, fired) => sum + fired, 0);
    assert.equal(slots(without), slots(all) - 6 * 16 * 2);
  });
});

Deno.test("a folder in which another run counts is refused in one sentence", async () => {
  await withFolder(async (out) => {
    using _claim = await claimFolder(join(out, "counts"));
    const args = ["--out-dir", out, "--dataset-configs", "udhr:en:train:0:2"];
    const { code, stderr } = await runScript("count", args, NO_ADAPTER);
    assert.equal(code, 2);
    assert.match(stderr, /^babelscope count: Another run of babelscope works in [^\n]*\n$/);
  });
});

Deno.test("count-neurons counts what count does at act_fn, and nothing else", async () => {
  await withFolder(async (folder) => {
    const texts = ["--dataset-configs", "udhr:en:train:0:2"];
    const [one, other] = [join(folder, "one"), join(folder, "other")];
    const outcome = await runScript("count-neurons", ["--out-dir", one, ...texts]);
    assert.equal(outcome.code, 0, outcome.stderr);
    await count(other, ...texts, "--layer", "layers.*.mlp.act_fn");
    const files = await countsFiles(join(one, "neuron_counts"));
    assert.deepEqual(Object.keys(files), ["udhr/en.safetensors"]);
    assert.deepEqual(files, await countsFiles(join(other, "neuron_counts")));
    const latents = ["--out-dir", one, ...texts, "--layer", "layers.0.mlp"];
    const refused = await runScript("count-neurons", latents, NO_ADAPTER);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /layers\.0\.mlp is where latents are counted/);
  });
});

Deno.test("neurons go to a folder of their own, or the one that is named", async () => {
  await withFolder(async (out) => {
    const args = ["--dataset-configs", "udhr:en:train:0:2", "--layer", "layers.*.mlp.act_fn"];
    await count(out, ...args);
    assert.equal((await countsOf(join(out, "neuron_counts/udhr/en.safetensors"))).width, 384);
    await count(out, ...args, "--out_path", "a/b");
    assert.equal((await countsOf(join(out, "a/b/udhr/en.safetensors"))).width, 384);
  });
});

Deno.test("--profile says what each kernel took", async () => {
  await withFolder(async (out) => {
    const args = ["--dataset-configs", "udhr:en:train:0:2", "--profile=True"];
    const { stdout } = await count(out, ...args);
    assert.match(stdout, /^kernel +dispatches +GPU ms$/m);
    assert.match(stdout, /^rmsnorm +\d+ +\d+\.\d$/m);
  });
});

Deno.test("the scripts show their options, their example works as it stands", async () => {
  const options = [
    ["count", "--checkpoint-every"],
    ["count-neurons", "--document-groups"],
    ["identify", "--example-rate"],
  ];
  for (const [step, option] of options) {
    const { code, stdout, stderr } = await runScript(step, ["--help"]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.match(stdout, new RegExp(`^Usage: ${step} `));
    assert.match(stdout, new RegExp(`^  ${option} `, "m"));
    assert.match(stdout, new RegExp(`^  babelscope ${step} `, "m"));
  }
});

Deno.test("both scripts run by themselves, without a terminal, from any folder", async () => {
  await withFolder(async (cwd) => {
    await writeCorpus(join(cwd, "texts"), { en: ["one text"], th: ["ภาษาไทย"] });
    const texts = ["--dataset-configs", "texts:{en,th}"];
    const counted = await runScript("count", texts, { cwd });
    assert.equal(counted.code, 0, counted.stderr);
    const script = `${ROOT}scripts/identify.ts`;
    const allowed = /^#!.* deno run (.*)/.exec(await Deno.readTextFile(script))![1].split(" ");
    const child = new Deno.Command("deno", {
      args: ["run", ...allowed, script, ...texts, "--out-dir", "./results"],
      cwd,
      stdin: "null",
    });
    const { code, stderr } = await child.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const { corpora } = JSON.parse(await Deno.readTextFile(join(cwd, "results/run.json")));
    assert.ok(corpora.every(({ reused }: { reused: boolean }) => reused));
  });
});
