#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope pretokenize: texts → shards of token ids, ready to train on (stage 0). */
import { run } from "../lib/cli/run.ts";
import { step, type StepCommand } from "../lib/cli/step.ts";
import { integer, oneOf } from "../lib/cli/values.ts";
import { NORMAL_FORM, PROMPT_TEMPLATE, TEXT_COLUMN } from "../lib/session/options.ts";
import { type PretokenizeOptions, runPretokenize } from "../lib/packing/pretokenize_step.ts";

const command: StepCommand<PretokenizeOptions> = step(
  "pretokenize",
  "Cut texts into rows of token ids, ready to train SAEs on.",
  "babelscope pretokenize --dataset-configs udhr:{en,de} --ctx-len 128",
)
  .argument(
    "[model]",
    "whose tokenizer: a folder, a GGUF file, or owner/name(@revision) on the hub (default: the embedded " +
      "model)",
  )
  .argument(
    "[dataset]",
    "texts, or rows with a column input_ids: a folder, a file, or owner/name(@revision) on the hub",
  )
  .option("--model <name>", "the same as [model]")
  .option("--dataset <name>", "the same as [dataset]")
  .option("--subset <name>", "configuration of [dataset] (default: default)")
  .option("--split <name>", "split of [dataset]", "train")
  .option(
    "--dataset-configs <spec...>",
    "texts of languages in the place of [dataset], as name:lang or name:lang:split:start:end; each " +
      "language has rows of its own",
  )
  .option(
    "--ctx-len <n>",
    "tokens of a row, as far as the tokenizer allows",
    integer({ min: 1 }),
    2048,
  )
  .option(...TEXT_COLUMN)
  .option(...PROMPT_TEMPLATE)
  .option(...NORMAL_FORM)
  .option("--batch-size <n>", "texts of a shard", integer({ min: 1, max: 1_000_000 }), 10_000)
  .option(
    "--data-preprocessing-num-proc <n>",
    "processes that the published program would run; only with --compat paper do rows depend on it",
    integer({ min: 1, max: 65_536 }),
    1,
  )
  .option("--output-dir <folder>", "where the shards go", "results/pretokenized")
  .option("--cache-dir <folder>", "the hub's cache (default: HF_HUB_CACHE)")
  .option("--hf-token <token>", "for the hub; never written (default: HF_TOKEN)")
  .option("--hf-username <name>", "refused: nothing is ever uploaded")
  .option("--hf-dataset-name <name>", "refused: nothing is ever uploaded")
  .option("--compat <system>", "reproduce published bugs of: paper", oneOf("paper"));

if (import.meta.main) {
  await run(command, ({ model, dataset, ...options }) => {
    const [namedModel, namedDataset] = command.processedArgs;
    return runPretokenize({
      ...options,
      model: namedModel ?? model,
      dataset: namedDataset ?? dataset,
    });
  });
}
