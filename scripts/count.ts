#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope count: texts → how often each latent or neuron fires, per language (stages 1, 2b, 2c). */
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { withCountOptions } from "../lib/count/command.ts";
import { runCountStep } from "../lib/count/count_step.ts";

const command = withCountOptions(step(
  "count",
  "Count, per language, how often each feature of a model fires on texts.",
  "babelscope count --dataset-configs udhr:{en,de,th} --layer layers.{3..5}.mlp",
)).option(
  "--out-path <folder>",
  "folder of the counts within --out-dir (default: counts or neuron_counts)",
);

if (import.meta.main) await run(command, (options) => runCountStep({ name: "count" }, options));
