#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope train-sae: a model and data → sparse coders (stage 0). */
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { withTrainOptions } from "../lib/train/options.ts";
import { runTrainSae } from "../lib/train/train_step.ts";

const command = withTrainOptions(step(
  "train-sae",
  "Train sparse autoencoders and transcoders on the activations of a model.",
  "babelscope train-sae --dataset-configs texts:{en,de} --ctx-len 128 --k 16",
));

if (import.meta.main) {
  await run(command, ({ model, dataset, ...options }) => {
    const [namedModel, namedDataset] = command.processedArgs;
    return runTrainSae({
      ...options,
      model: namedModel ?? model,
      dataset: namedDataset ?? dataset,
    });
  });
}
