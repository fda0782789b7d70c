/** `babelscope report` on folders as the steps leave them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeTable } from "../lib/data/tables.ts";
import { writeIdentification } from "../lib/report/identification_file.ts";
import { demoReport } from "./fixtures/report/demo.ts";
import { filesUnder } from "./support/folders.ts";
import { type Outcome, runScript, withFolder } from "./support/run.ts";

const report = (folder: string, ...args: string[]): Promise<Outcome> =>
  runScript("report", ["--out-dir", folder, ...args]);

const pageIn = (folder: string) => Deno.readTextFile(join(folder, "report.html"));

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify(value));
}

/** A training of two coders over three steps, as train-sae leaves it. */
async function writeTraining(folder: string): Promise<void> {
  const lines = [1, 2, 3].map((step) => ({
    ...{ step, tokens: 512 * step, k: 8 },
    ...{ "fvu/layers.0": 1 / step, "dead_pct/layers.0": 0, "lr/layers.0": 0.01 },
    ...{ "fvu/layers.2": 2 / step, "dead_pct/layers.2": 0, "lr/layers.2": 0.01 },
  }));
  const text = lines.map((line) => JSON.stringify(line) + "\n").join("");
  await Deno.writeTextFile(join(folder, "metrics.jsonl"), text);
  await writeJson(join(folder, "run.json"), {
    step: "train-sae",
    coders: ["layers.0", "layers.2"],
    result: { steps: 3, tokens: 1536, held_out_fvu: { "layers.0": 0.25, "layers.2": 0.5 } },
    options: { k: 8 },
    started: "2026-11-22T13:58:00.000Z",
    seconds: 5,
  });
}

Deno.test("a training alone has a page at once, and figures as files", () =>
  withFolder(async (folder) => {
    await writeTraining(folder);
    const outcome = await report(folder, "--figures", "svg,png");
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(
      outcome.stdout,
      /report\.html has \d+ figures in [\d,]+ KiB; open it in a browser/,
    );
    const page = await pageIn(folder);
    assert.match(page, /2 sparse coders trained for 3 steps on 1,536 tokens/);
    assert.match(page, /leave 25\.0\u00a0% to 50\.0\u00a0% of the variance unexplained/);
    assert.match(page, /<svg /);
    assert.match(page, /id="search"/);
    const { figures, runs } = JSON.parse(await Deno.readTextFile(join(folder, "report.json")));
    assert.ok(figures.length > 0);
    assert.deepEqual(Object.keys(runs), ["run.json"]);
    const expected = figures.flatMap((id: string) => [`${id}.csv`, `${id}.png`, `${id}.svg`]);
    assert.deepEqual(await filesUnder(join(folder, "figures")), expected.sort());
  }));

Deno.test("a mixture has a part for each of its steps, and the same page every time", () =>
  withFolder(async (folder) => {
    await writeIdentification(folder, demoReport());
    await Deno.mkdir(join(folder, "mine"));
    await writeTraining(join(folder, "mine"));
    const evaluation = { hookpoint: "layers.0", all: { fvu: 0.21, l0: 16, ce_sae: null } };
    await writeJson(join(folder, "evaluation.json"), { saes: [evaluation] });
    await writeTable(join(folder, "evaluation"), {
      ...{ hookpoint: ["layers.0"], language: ["all"], fvu: [0.21], l0: [16], dead_share: [0.1] },
      ...{ ce_recovered_zero: [null], kl_sae: [null] },
    });
    assert.equal((await report(folder, "--no-maps")).code, 0);
    const page = await pageIn(folder);
    const parts = [...page.matchAll(/<h2 id="([^"]+)"/g)].map(([, id]) => id);
    assert.deepEqual(parts, ["strongest", "training", "evaluation", "made"]);
    assert.match(page, /<b>768<\/b> of 12,288 latents/);
    assert.equal((await report(folder, "--no-maps")).code, 0);
    assert.equal(await pageIn(folder), page);
  }));

/** What interpret leaves of a feature and of a control, with made-up scores. */
async function writeInterpretations(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  const [{ layer, index }] = demoReport().features[0].toSorted((a, b) => a.entropy - b.entropy);
  const latents = {
    group: ["identified", "random"],
    hookpoint: [`layers.${layer}.mlp`, "layers.1.mlp"],
    layer: [layer, 1],
    latent: [index, 77],
    languages: ["Bulgarian", null],
  };
  await writeTable(join(folder, "explanations"), {
    ...latents,
    ...{ explanation: ["words that end in <та>", "commas"], problem: [null, "degenerate"] },
    ...{ active_windows: [20, 30], windows: [100, 100] },
  });
  await writeTable(join(folder, "scores"), {
    ...latents,
    ...{ scorer: ["fuzz", "fuzz"], main_metric: ["accuracy", "accuracy"] },
    ...{ predictions: [40, 40], failed: [0, 1] },
    ...{ accuracy: [0.875, 0.5], accuracy_low: [0.75, 0.25], accuracy_high: [0.9375, 0.625] },
  });
  const mean = { value: 0.875, low: 0.75, high: 0.9375 };
  const random = { latents: 1, control: { value: 0.5, low: null, high: null }, difference: mean };
  const scorer = {
    ...{ scorer: "fuzz", main: "accuracy", latents: 1, predictions: 40, failed: 0 },
    ...{ metrics: { accuracy: mean }, pooled: null, frequency_weighted_f1: null },
    ...{ controls: { random }, languages: [] },
  };
  await writeJson(join(folder, "summary.json"), { scorers: [scorer] });
}

Deno.test("explanations stand with their features, their scores and their controls", () =>
  withFolder(async (folder) => {
    await writeIdentification(folder, demoReport());
    await writeInterpretations(join(folder, "interpret"));
    const { code, stderr } = await report(folder, "--no-maps");
    assert.equal(code, 0, stderr);
    const page = (await pageIn(folder)).replace(/\s+/g, " ");
    const text = "words that end in &lt;та&gt;";
    assert.ok(page.includes(`<p class="explanation"><bdi data-searched>${text}</bdi></p>`));
    assert.ok(
      page.includes(`<bdi data-searched>${text}</bdi></td><td>0.875 (0.750 to 0.938)</td>`),
    );
    assert.ok(page.includes("<bdi>random control</bdi>"));
    assert.ok(page.includes("<small>(degenerate)</small></td><td>0.500 (0.250 to 0.625)</td>"));
    assert.match(
      page,
      /<td>0\.875 \(0\.750 to 0\.938\)<\/td><td>0\.500<\/td>/,
      "beside the control",
    );
  }));

Deno.test("what is no folder of results, or damaged, is refused in one sentence", () =>
  withFolder(async (folder) => {
    const refused = async (message: RegExp, ...args: string[]) => {
      const { code, stderr, stdout } = await report(folder, ...args);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    };
    await Deno.writeTextFile(join(folder, "notes.txt"), "nothing of a step");
    await refused(/has nothing that a step of babelscope has left there/);
    await refused(/--figures: expected svg, png, pdf or several/, "--figures", "svg,gif");
    await writeIdentification(folder, demoReport());
    await Deno.writeTextFile(join(folder, "identification.json"), "{}");
    await refused(/identification\.json: format: .*; run identify again/);
  }));
