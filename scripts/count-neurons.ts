#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope count-neurons: texts → how often each MLP neuron fires, per language (stage 2c). */
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { withCountOptions } from "../lib/count/command.ts";
import { runCountStep } from "../lib/count/count_step.ts";

const NEURONS = "layers.*.mlp.act_fn";

const command = withCountOptions(
  step(
    "count-neurons",
    "Count, per language, how often each MLP neuron of a model fires on texts: `count` at all act_fn.",
    "babelscope count-neurons --dataset-configs udhr:{en,de,th} --layer layers.{3..5}.mlp.act_fn",
  ),
  `all neurons, ${NEURONS}`,
).option("--out-path <folder>", "folder of the counts within --out-dir", "neuron_counts");

if (import.meta.main) {
  await run(
    command,
    (options) =>
      runCountStep({ name: "count-neurons", hookpoints: [NEURONS], kind: "neurons" }, options),
  );
}
