import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { argumentsOf, parsePlan } from "./plan.ts";

const TEXT = `
title = "a plan"
[variables]
model = "owner/name"
langs = ["en", "de"]
place = "counts/\${model}"
[[step]]
name = "counting"
run = "count"
tokens = 12
[step.options]
model = "\${model}"
out_path = "\${place}"
profile = true
no-guard = false
dataset-configs = ["udhr:{en,de}", "texts:\${model}"]
[[step]]
name = "perplexity"
run = "ppl"
[step.each]
multiplier = [-0.5, 2]
lang = "\${langs}"
[step.options]
multiplier = "\${multiplier}"
out-path = "ppl/\${multiplier}/\${lang}.json"
`;

Deno.test("plan: variables, lists and every combination", () => {
  const { title, steps: [count, ppl] } = parsePlan(TEXT, "plan.toml");
  assert.equal(title, "a plan");
  assert.equal(count.tokens, 12);
  assert.deepEqual(argumentsOf(count.commands[0]), [
    ...["--model", "owner/name", "--out-path", "counts/owner/name", "--profile"],
    ...["--dataset-configs", "udhr:{en,de}", "texts:owner/name"],
  ]);
  assert.deepEqual(ppl.commands.map((options) => argumentsOf(options).join(" ")), [
    "--multiplier=-0.5 --out-path ppl/-0.5/en.json",
    "--multiplier=-0.5 --out-path ppl/-0.5/de.json",
    "--multiplier 2 --out-path ppl/2/en.json",
    "--multiplier 2 --out-path ppl/2/de.json",
  ]);
});

Deno.test("plan: what is wrong is said in a sentence that names the file", () => {
  const refuses = (text: string, message: RegExp) =>
    assert.throws(
      () => parsePlan(text, "plan.toml"),
      (error) => error instanceof InputError && message.test(error.message),
    );
  refuses("title =", /^plan\.toml, line 1, column \d+: not TOML/);
  refuses('title = "x"', /^plan\.toml: step: /);
  const step = '[[step]]\nname = "x"\nrun = "count"\n';
  refuses(`title = "x"\n${step}colour = "red"`, /^plan\.toml: step\.0: Unrecognized key/);
  refuses(
    `title = "x"\n${step}[step.options]\nmodel = "\${modle}"`,
    /there is no variable "modle", expected one of none/,
  );
  refuses(
    `title = "x"\n[variables]\nlangs = ["en"]\n${step}[step.options]\nmodel = "a \${langs}"`,
    /\$\{langs\} is a list/,
  );
  const many = `[${Array.from({ length: 101 }, (_, i) => i).join(", ")}]`;
  refuses(`title = "x"\n${step}[step.each]\na = ${many}\nb = ${many}`, /more than 10000 commands/);
});

Deno.test("plan: the paper's has its 20 runs of identify and all perplexities", async () => {
  const path = projectPath("configs/paper-llama-3.2-1b.toml");
  const { steps } = parsePlan(await Deno.readTextFile(path), path);
  const commands = (run: string) =>
    steps.filter((step) => step.run === run).reduce(
      (sum, { commands }) => sum + commands.length,
      0,
    );
  assert.equal(commands("count") + commands("count-neurons"), 2);
  // Five result files of language-specific features, 14 of shared ones, one of neurons.
  assert.equal(commands("identify"), 5 + 14 + 1);
  // As it is; neurons at 0; scaled; features at 8 strengths; top 10 and top 1 per layer: each for all
  // languages at once.
  assert.equal(commands("ppl"), 1 + 1 + 8 + 8 + 2 + 2 + 2 + 1);
  assert.equal(commands("classify"), 1);
});
