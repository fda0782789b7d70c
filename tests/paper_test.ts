/** babelscope paper: the commands of a plan, in order, once each. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readSteps } from "../lib/cli/steps.ts";
import { claimFolder } from "../lib/data/folder_claim.ts";
import { babelscope, ROOT, runScript, withFolder } from "./support/run.ts";

const PUBLISHED = join(ROOT, "tests/fixtures/torch/lape_all.pt");

/** Lists the same features three times; the second file is not there yet. */
const PLAN = `
title = "three lists"
[[step]]
name = "list"
run = "features"
[step.each]
file = ["${PUBLISHED}", "later.pt", "${PUBLISHED}"]
[step.options]
lape-result-path = "\${file}"
top = 1
`;

Deno.test("a plan that stopped goes on where it was, and starts anew once it is done", () =>
  withFolder(async (cwd) => {
    await Deno.writeTextFile(join(cwd, "plan.toml"), PLAN);
    const paper = () => runScript("paper", ["--config", "plan.toml", "--out-dir", "out"], { cwd });
    const stopped = await paper();
    assert.equal(stopped.code, 2);
    assert.match(stopped.stderr, /\[1\/3\] list \(1 of 3\)\n/);
    assert.match(stopped.stderr, /babelscope features: Cannot read later\.pt/);
    assert.match(stopped.stderr, /"list \(2 of 3\)" ended with exit code 2; run the same again/);
    assert.doesNotMatch(stopped.stderr, /\[3\/3\]/);

    await Deno.copyFile(PUBLISHED, join(cwd, "later.pt"));
    const goesOn = await paper();
    assert.equal(goesOn.code, 0, goesOn.stderr);
    assert.match(goesOn.stderr, /\[1\/3\] list \(1 of 3\): was there\n/);
    assert.match(goesOn.stderr, /\[2\/3\] list \(2 of 3\)\n/);
    assert.match(goesOn.stderr, /3 commands in \d+ s\./);

    const anew = await paper();
    assert.doesNotMatch(anew.stderr, /was there/);
  }));

Deno.test("two runs in one folder: the second says so", () =>
  withFolder(async (cwd) => {
    await Deno.writeTextFile(join(cwd, "plan.toml"), PLAN);
    using _claim = await claimFolder(join(cwd, "out/.paper"));
    const args = ["--config", "plan.toml", "--out-dir", "out"];
    const { code, stderr, stdout } = await runScript("paper", args, { cwd });
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^babelscope paper: Another run of babelscope works in [^\n]+\.\n$/);
  }));

Deno.test("all steps in order, on a few texts of two languages, down to the summary", () =>
  withFolder(async (cwd) => {
    const plan = await Deno.readTextFile(join(ROOT, "configs/embedded.toml"));
    const small = [
      [/^languages = .*$/m, 'languages = "{en,th}"'],
      [/:odd"/g, ':odd:0:8"'],
      [/:even"$/m, ':even:10:16"'],
      [/:even:12:21"/, ':even:12:15"'],
      [/^count = .*$/m, "count = [2]"],
      [/^multiplier = \[0\.2.*$/m, "multiplier = [0.4]"],
      [/^times = .*$/m, "times = 2"],
      [/^run = "report"$/m, 'run = "report"\n[step.options]\nmaps = false'],
    ] as const;
    const few = small.reduce((text, [pattern, by]) => text.replace(pattern, by), plan);
    await Deno.writeTextFile(join(cwd, "plan.toml"), few);
    const outcome = await runScript("paper", ["--config", "plan.toml", "--out-dir", "out"], {
      cwd,
    });
    assert.equal(outcome.code, 0, outcome.stderr);
    const { claims, findings } = JSON.parse(
      await Deno.readTextFile(join(cwd, "out/summary.json")),
    );
    assert.equal(claims.length, 9, "every claim has its numbers");
    assert.deepEqual(
      findings.features.map(({ language }: { language: string }) => language),
      ["English", "Thai"],
    );
    assert.deepEqual(
      findings.interventions.map(({ name }: { name: string }) => name),
      ["neuron_fixed_0", "sae-features_max_-0.2", "sae-features_max_0.2"],
    );
    assert.equal(findings.classifiers.length, 6 + 3);
    const thai = findings.steered.find(({ language }: { language: string }) => language === "Thai");
    assert.deepEqual([thai.texts, thai.controlTexts, thai.plainTexts], [2, 2, 2]);
    const summary = await Deno.readTextFile(join(cwd, "out/summary.md"));
    assert.match(summary, /\| en \| \*\*-?\d\.\d\d\*\* \| -?\d\.\d\d \|/);
  }));

Deno.test("without a file, the plan has every step of the paper that there is", async () => {
  const { code, stdout } = await babelscope(["paper", "--commands"]);
  assert.equal(code, 0);
  const planned = new Set(stdout.trim().split("\n").map((line) => line.split(" ")[1]));
  const others = [
    "paper",
    "features",
    "interpret",
    "explore",
    "build-site",
    "pretokenize",
    "train-sae",
    "evaluate-sae",
    "test",
    "doctor",
    "bench",
    "compat",
    "size",
  ];
  assert.deepEqual(
    [...planned].sort(),
    [...(await readSteps()).keys()].filter((name) => !others.includes(name)).sort(),
  );
});
