/** babelscope train-sae as a whole: what it writes, however often it is stopped; what it refuses. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readTable } from "../lib/data/tables.ts";
import { openSafetensorsFile } from "../lib/data/safetensors_files.ts";
import { encodeSafetensors } from "../lib/formats/safetensors.ts";
import { seededRandom } from "../lib/stats/random.ts";
import { changeByte, filesUnder, hashesOf } from "./support/folders.ts";
import { longTest } from "./support/opt_in.ts";
import { type Outcome, ROOT, runScript, withFolder } from "./support/run.ts";

/** Where a step that asks for an adapter fails. */
const NO_ADAPTER = { env: { BABELSCOPE_ADAPTER: "none" } };

const SMALL = ["--ctx-len", "16", "--num-latents", "96", "--k", "4", "--batch-size", "4"];

/** Token ids of two languages: rows of 16 for some tens of steps. */
async function writeTokens(folder: string): Promise<string> {
  const random = seededRandom(3);
  const ids = (rows: number) =>
    Uint16Array.from({ length: rows * 16 }, (_, i) => i % 16 === 0 ? 8190 : 8000 * random());
  const tensor = (data: Uint16Array) => ({ dtype: "U16" as const, shape: [data.length], data });
  const path = join(folder, "tokens.safetensors");
  await Deno.writeFile(path, encodeSafetensors({ en: tensor(ids(110)), de: tensor(ids(70)) }));
  return path;
}

function train(folder: string, run: string, ...args: string[]): Promise<Outcome> {
  return runScript("train-sae", ["--save-dir", folder, "--run-name", run, ...args]);
}

async function trained(folder: string, run: string, ...args: string[]): Promise<Outcome> {
  const outcome = await train(folder, run, ...args);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

async function stepsSaved(folder: string): Promise<number> {
  const text = await Deno.readTextFile(join(folder, "training.json")).catch(() => undefined);
  return text === undefined ? 0 : JSON.parse(text).steps;
}

/** Starts training and stops it soon after it has saved a new checkpoint. */
async function stop(folder: string, run: string, args: string[], signal: Deno.Signal) {
  const before = await stepsSaved(join(folder, run));
  const child = new Deno.Command(`${ROOT}scripts/train-sae.ts`, {
    args: ["--save-dir", folder, "--run-name", run, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const deadline = Date.now() + 60_000;
  while (await stepsSaved(join(folder, run)) === before && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  child.kill(signal);
  return { ...await child.status, stderr: await stderr };
}

/** Hashes of all files but those that have times or what was resumed. */
async function results(folder: string): Promise<Record<string, string>> {
  const { "run.json": _run, "config.json": _config, ...files } = await hashesOf(folder);
  return files;
}

/** Trainings that differ in what has to be saved to go on. */
const TRAININGS: Record<string, string[]> = {
  "signum, seeds, dead latents, accumulated": [
    ...["--hookpoints", "layers.1", "--init-seeds", "0", "7", "--save-best"],
    ...["--grad-acc-steps", "2", "--micro-acc-steps", "2", "--exclude-tokens", "bos"],
    ...["--auxk-alpha", "0.03", "--dead-feature-threshold", "300", "--k-decay-steps", "20"],
    ...["--batch-size", "2"],
  ],
  "adam, a transcoder with a skip connection": [
    ...["--hookpoints", "layers.0.mlp", "--transcode", "--skip-connection", "--multi-topk"],
    ...["--optimizer", "adam", "--lr", "0.002", "--lr-warmup-steps", "5"],
  ],
};

for (const [name, options] of Object.entries(TRAININGS)) {
  // What is saved differs by optimizer alone; its own tests show that for each.
  const test = name.startsWith("signum") ? Deno.test : longTest;
  test(`a training that is killed and interrupted ends in the same bytes: ${name}`, () =>
    withFolder(async (folder) => {
      const dataset = await writeTokens(folder);
      const args = ["--dataset", dataset, ...SMALL, ...options, "--save-every", "9"];
      await trained(folder, "whole", ...args);
      const whole = await results(join(folder, "whole"));
      assert.ok(Object.hasOwn(whole, "metrics.jsonl"), Object.keys(whole).join());

      const killed = await stop(folder, "stopped", args, "SIGKILL");
      assert.equal(killed.signal, "SIGKILL");
      const first = await stepsSaved(join(folder, "stopped"));
      const interrupted = await stop(folder, "stopped", [...args, "--resume"], "SIGINT");
      const second = await stepsSaved(join(folder, "stopped"));
      assert.equal(interrupted.code, 130, interrupted.stderr);
      assert.match(
        interrupted.stderr,
        /Saved after step \d+ of \d+ in .*with --resume to go on\.\n$/,
      );
      assert.ok(0 < first && first < second, `${first}, ${second}`);
      assert.ok(!(await filesUnder(join(folder, "stopped"))).includes("run.json"));

      await trained(folder, "stopped", ...args, "--resume");
      const stopped = await results(join(folder, "stopped"));
      // A training that is stopped between two checkpoints measures there as well.
      const files = Object.keys(whole).filter((file) => file.endsWith("sae.safetensors"));
      assert.ok(files.length >= 1);
      for (const file of [...files, ...files.map((file) => file.replace("sae.", "training."))]) {
        if (!file.startsWith("best/")) assert.equal(stopped[file], whole[file], file);
      }
      const steps = async (run: string) =>
        (await Deno.readTextFile(join(folder, run, "metrics.jsonl"))).split("\n")
          .filter((line) => line.includes('"fvu/'));
      assert.deepEqual(await steps("stopped"), await steps("whole"));
      const left = (await filesUnder(join(folder, "stopped"))).filter((file) =>
        /\.part$|\.\d+\.safetensors$/.test(file)
      );
      assert.deepEqual(left, []);
    }));
}

Deno.test("what is written can be read, and says how it was made", () =>
  withFolder(async (folder) => {
    const dataset = await writeTokens(folder);
    const args = [
      "--dataset",
      dataset,
      ...SMALL,
      "--normalize_decoder=True",
      "--save_best",
      "True",
    ];
    const { stdout } = await trained(
      folder,
      "run",
      ...args,
      ...["--layers", "0", "2", "--max_examples", "48", "--shares", "en=2,de=1"],
    );
    assert.match(stdout, /^layers\.2 +0\.\d{4} +0\.\d{4} +0 of 96$/m);
    const run = join(folder, "run");
    assert.deepEqual(
      await filesUnder(run),
      [
        ...["layers.0", "layers.2"].flatMap((name) => [
          `best/${name}/cfg.json`,
          `best/${name}/sae.safetensors`,
        ]),
        "config.json",
        ...["layers.0", "layers.2"].flatMap((name) => [
          `${name}/cfg.json`,
          `${name}/sae.safetensors`,
          `${name}/training.safetensors`,
        ]),
        ...["metrics.csv", "metrics.jsonl", "metrics.parquet", "run.json", "training.json"],
      ],
    );
    const json = async (path: string) => JSON.parse(await Deno.readTextFile(join(run, path)));
    assert.deepEqual(await json("layers.2/cfg.json"), {
      activation: "topk",
      expansion_factor: 32,
      normalize_decoder: true,
      num_latents: 96,
      k: 4,
      multi_topk: false,
      skip_connection: false,
      transcode: false,
      d_in: 128,
    });
    const config = await json("config.json");
    assert.deepEqual([config.sae.k, config.batch_size, config.model], [4, 4, "embedded"]);
    const provenance = await json("run.json");
    assert.equal(provenance.result.steps, 12);
    assert.equal(provenance.data.held_out.rows, 2);
    using sae = await openSafetensorsFile(join(run, "layers.2/sae.safetensors"));
    assert.equal(sae.metadata.format, "pt");
    assert.deepEqual(sae.info("W_dec").shape, [96, 128]);
    const { coder, fvu, step } = await readTable(join(run, "metrics.parquet"), [
      "coder",
      "fvu",
      "step",
    ]);
    assert.equal(coder.length, 2 * (12 + 1), "twelve steps and a measurement");
    assert.deepEqual([coder[1], Number(step[1])], ["layers.2", 1]);
    const lines = (await Deno.readTextFile(join(run, "metrics.jsonl"))).split("\n");
    assert.equal(fvu[1], JSON.parse(lines[0])["fvu/layers.2"]);
    assert.equal(
      JSON.parse(lines[12])["held_out_fvu/layers.2"],
      provenance.result.held_out_fvu["layers.2"],
    );
    const { stdout: counted, stderr } = await runScript("count", [
      ...["--sae-model", join(run, "best"), "--dataset-configs", "udhr:en:train:0:1"],
      ...["--out-dir", join(folder, "counts"), "--no-guard"],
    ]);
    assert.match(counted, /English/, stderr);

    // Another training begins where this one ended, from what sparsify could have written as well.
    const lineOf = async (name: string, at: number) => {
      const text = await Deno.readTextFile(join(folder, name, "metrics.jsonl"));
      return JSON.parse(text.split("\n")[at]);
    };
    const more = ["--layers", "0", "2", "--max-examples", "4", "--finetune"];
    await trained(folder, "more", ...args, ...more, run);
    const [begun, ended, finetuned] = [
      ...[await lineOf("run", 0), await lineOf("run", 11), await lineOf("more", 0)],
    ].map((line) => line["fvu/layers.2"]);
    assert.ok(finetuned < (begun + ended) / 2, `${begun}, ${ended}; ${finetuned}`);
    const missing = await train(folder, "none", ...args, ...more, join(folder, "nothing"));
    assert.match(
      missing.stderr,
      /has no coder for layers\.0: expected .*layers\.0\/sae\.safetensors/,
    );

    // A second training does not write over the first, and goes on only as it began.
    const again = await train(folder, "run", ...args, "--layers", "0", "2");
    assert.match(again.stderr, /holds a training after step 12; go on with it by --resume/);
    assert.equal(again.code, 2);
    const other = await train(folder, "run", ...args, "--layers", "0", "2", "--k", "5", "--resume");
    assert.match(other.stderr, /began with (other data|--k 4 instead of 5)/);
    await changeByte(join(run, "training.json"), 2);
    const damaged = await train(folder, "run", ...args, "--layers", "0", "2", "--resume");
    assert.match(damaged.stderr, /training\.json is not JSON/);
  }));

Deno.test("as published, steps are saved and logged one early, and their losses divided", () =>
  withFolder(async (folder) => {
    const dataset = await writeTokens(folder);
    const args = ["--dataset", dataset, ...SMALL, "--hookpoints", "layers.0.mlp", "--save-best"];
    const linesOf = async (run: string, ...more: string[]) => {
      await trained(folder, run, ...args, ...more);
      const text = await Deno.readTextFile(join(folder, run, "metrics.jsonl"));
      return text.trimEnd().split("\n").map((line) => JSON.parse(line));
    };
    const options = ["--compat", "paper", "--wandb-log-frequency", "2", "--max-examples", "32"];
    const paper = await linesOf("paper", ...options);
    const fixed = await linesOf("fixed", "--held-out", "0", "--max-examples", "4");
    assert.deepEqual(paper.map(({ step }) => step), [1, 3, 5, 7], "and nothing is held out");
    assert.equal(paper[0]["fvu/layers.0.mlp"], fixed[0]["fvu/layers.0.mlp"] / 2);
    const files = await filesUnder(join(folder, "paper"));
    assert.ok(files.includes("best/layers.0.mlp/layers.0.mlp/sae.safetensors"), files.join());
  }));

Deno.test("bad input is refused in one sentence", () =>
  withFolder(async (folder) => {
    const dataset = await writeTokens(folder);
    const refusals: [string[], RegExp][] = [
      [[], /No data is named to train on; give .* such as babelscope train-sae/],
      [["--dataset", dataset, "--loss_fn", "ce"], /--loss-fn ce needs gradients .* come later/],
      [["--dataset", dataset, "--distribute_modules", "True"], /one GPU is used/],
      [["--dataset", dataset, "--load_in_8bit", "True"], /float32/],
      [["--dataset", dataset, "--resume"], /There is no training in .* to go on with/],
      [
        ["--dataset", dataset, "--hookpoints", "layers.9.mlp"],
        /layers.9.mlp" is not in this model/,
      ],
      [["--dataset", join(folder, "nothing.bin")], /nothing\.bin/],
      [["--dataset", dataset, "--shares", "fr=1"], /no rows of French/],
    ];
    for (const [args, message] of refusals) {
      const { code, stderr, stdout } = await runScript("train-sae", [
        ...["--save-dir", join(folder, "runs"), "--ctx-len", "16"],
        ...args,
      ], NO_ADAPTER);
      assert.match(stderr, message);
      assert.deepEqual([code, stdout, stderr.trimEnd().split("\n").length], [2, "", 1], stderr);
    }
    assert.deepEqual(await filesUnder(join(folder, "runs")), []);
  }));
