/**
 * Options of `interpret`, by the names of delphi and the paper's interpret.py (spec train-and-interpret
 * B.14, language-specific-features 7.1), and what was added.
 */
import type { Command } from "commander";
import { step, type StepCommand } from "../cli/step.ts";
import { each, integer, number, oneOf } from "../cli/values.ts";
import { LAPE_RESULT_PATH } from "../identify/lape_result.ts";
import { type EndpointOptions, withEndpointOptions } from "../llm/options.ts";
import {
  ALL_LANGUAGES,
  COMPAT,
  KERNELS,
  MEMORY_BUDGET,
  type ModelOptions,
  NORMAL_FORM,
  PROFILE,
  PROMPT_TEMPLATE,
  type RunOptions,
  TEXT_COLUMN,
  type TextOptions,
  withModelOptions,
} from "../session/options.ts";
import { type ExplainerName, EXPLAINERS } from "../interpret/explainers/open_explainer.ts";
import { type ControlName, CONTROLS } from "../interpret/metrics/controls.ts";
import { type ScorerName, SCORERS } from "../interpret/scorers/open_scorer.ts";

/** Parts of the work that are done anew though they are done. */
export const STAGES = ["cache", "neighbours", "scores"] as const;
export type StageName = typeof STAGES[number];

/** What the options are parsed to; undefined where the default depends on others. */
export interface InterpretOptions
  extends ModelOptions, Omit<TextOptions, "datasetConfigs">, RunOptions, EndpointOptions {
  readonly sparseModel?: string;
  readonly hookpoints?: string[];
  readonly lapeResultPath?: string;
  readonly maxLatents?: number;

  readonly datasetConfigs?: string[];
  readonly datasetRepo?: string;
  readonly datasetName?: string;
  readonly datasetSplit?: string;
  readonly datasetColumn?: string;
  readonly datasetStart?: number;
  readonly datasetEnd?: number;
  readonly cacheCtxLen: number;
  readonly nTokens: number;
  readonly nSplits: number;
  readonly filterBos?: boolean;
  readonly pipelineNumProc: number;

  readonly exampleCtxLen: number;
  readonly minExamples?: number;
  readonly nExamplesTrain?: number;
  readonly nExamplesTest?: number;
  readonly nNonActivating?: number;
  readonly nQuantiles: number;
  readonly trainType: "top" | "random" | "quantiles" | "mix";
  readonly testType: "quantiles" | "top";
  readonly ratioTop: number;
  readonly centerExamples: boolean;
  readonly nonActivatingSource: "random" | "neighbours" | "FAISS";
  readonly neighboursType: "co-occurrence" | "decoder_similarity" | "encoder_similarity";
  readonly faissEmbeddingModel?: string;
  readonly faissEmbeddingCacheDir?: string;
  readonly faissEmbeddingCacheEnabled: boolean;
  readonly seed: number;

  readonly explainer: ExplainerName;
  readonly explainIn: "english" | "own";
  readonly explainerProvider?: "offline" | "openrouter" | "openai";
  readonly scorers: ScorerName[];
  readonly fuzzType: "default" | "active";
  readonly numExamplesPerScorerPrompt: number;
  readonly logProbs?: boolean;
  readonly controls: (ControlName | "none")[];
  readonly promptTexts?: string;

  readonly name: string;
  readonly outputDir?: string;
  readonly dryRun?: true;
  readonly overwrite: StageName[];
  readonly populateCache?: boolean;
  readonly scoring?: boolean;
  readonly logResults?: boolean;
  readonly verbose: boolean;

  readonly env?: "local" | "colab" | "kaggle";
  readonly hfToken?: string;
  readonly loadIn8bit?: boolean;
  readonly numGpus?: number;
  readonly explainerModelMaxLen?: number;
  readonly maxMemory?: number;
}

const COUNT = integer({ min: 1 });
const AMOUNT = integer({ min: 0 });

/** The command of the step, with all its options. */
export function interpretCommand(): StepCommand<InterpretOptions> {
  const command = step(
    "interpret",
    "Let a language model explain features, and measure how far its explanations hold.",
    "babelscope interpret --base-url http://127.0.0.1:8080/v1 --explainer-model local --max-latents 2",
  );
  // declared above, not inferred: the type checker takes minutes for that
  const plain = command as unknown as Command;
  for (const add of [withSubject, withTexts, withExamples, withAsking, withRun, withPublished]) {
    add(plain);
  }
  return plain as unknown as StepCommand<InterpretOptions>;
}

function withSubject(command: Command): void {
  command.optionsGroup("Which latents:")
    .argument("[model]", "the same as --model")
    .argument("[sparse-model]", "the same as --sae-model");
  withModelOptions(asStep(command));
  command
    .option("--sparse-model <name>", "the same as --sae-model")
    .option("--hookpoints <hookpoint...>", "the same as --layer")
    .option(...LAPE_RESULT_PATH)
    .option(
      "--max-latents <n>",
      "at most so many identified latents of each hookpoint, those of lowest index (default: all)",
      COUNT,
    );
}

function withTexts(command: Command): void {
  command.optionsGroup("Texts that they are looked up in:");
  command
    .option(
      "--dataset-configs <spec...>",
      "texts as name:lang or name:lang:split:start:end; name is udhr, a folder with " +
        "<lang>.txt|jsonl|csv|parquet, a file, or owner/name on the hub, such as facebook/xnli " +
        `(default: ${ALL_LANGUAGES})`,
    )
    .option(...TEXT_COLUMN)
    .option(...PROMPT_TEMPLATE)
    .option(...NORMAL_FORM)
    .option(
      "--dataset-repo <name>",
      "texts or rows of token ids that name no language, instead: a folder, a file, or owner/name",
    )
    .option("--dataset-name <name>", "configuration of --dataset-repo")
    .option("--dataset-split <name>", "split of --dataset-repo (default: train)")
    .option("--dataset-column <name>", "the same as --text-column")
    .option(
      "--dataset-start <row>",
      "first row of each data set that does not say (default: 0)",
      AMOUNT,
    )
    .option(
      "--dataset-end <row>",
      "one past the last (default: all; 1000 with --compat paper)",
      AMOUNT,
    )
    .option("--cache-ctx-len <n>", "tokens of a row that the model reads", COUNT, 256)
    .option("--n-tokens <n>", "most tokens that it reads", COUNT, 10_000_000)
    .option("--filter-bos", "leave BOS out of the rows")
    .option(
      "--pipeline-num-proc <n>",
      "processes that the published program would run; only with --compat paper do rows depend on it",
      integer({ min: 1, max: 65_536 }),
      1,
    )
    .option("--n-splits <n>", "files that the activations of a hookpoint are kept in", COUNT, 5);
}

function withExamples(command: Command): void {
  command.optionsGroup("Examples of a latent:")
    .option("--example-ctx-len <n>", "tokens of an example", COUNT, 32)
    .option(
      "--no-center-examples",
      "leave examples where rows are cut, in the place of putting the strongest token into their middle " +
        "part (with --compat paper it is the other way round, as published)",
    )
    .option(
      "--min-examples <n>",
      "a latent that fires in fewer windows is skipped (default: 200; embedded model 40)",
      COUNT,
    )
    .option(
      "--n-examples-train <n>",
      "examples that an explanation is made from (default: 40; embedded model 20)",
      COUNT,
    )
    .option(
      "--n-examples-test <n>",
      "examples that scorers ask about, none of them among the former but with --compat paper (default: " +
        "50; embedded model 20)",
      COUNT,
    )
    .option(
      "--n-non-activating <n>",
      "examples without the latent that they are mixed with (default: 50; embedded model 20)",
      AMOUNT,
    )
    .option("--n-quantiles <n>", "quantiles of activation that are drawn from alike", COUNT, 10)
    .option(
      "--train-type <way>",
      "top, random, quantiles, mix",
      oneOf("top", "random", "quantiles", "mix"),
      "quantiles",
    )
    .option("--test-type <way>", "quantiles, top", oneOf("quantiles", "top"), "quantiles")
    .option(
      "--ratio-top <share>",
      "strongest examples among those of --train-type mix",
      number({ min: 0, max: 1 }),
      0.2,
    )
    .option(
      "--non-activating-source <source>",
      "random; neighbours: where similar latents fire; FAISS: texts of similar meaning, by " +
        "--faiss-embedding-model",
      oneOf("random", "neighbours", "FAISS"),
      "random",
    )
    .option(
      "--neighbours-type <kind>",
      "co-occurrence, decoder_similarity, encoder_similarity",
      oneOf("co-occurrence", "decoder_similarity", "encoder_similarity"),
      "co-occurrence",
    )
    .option(
      "--faiss-embedding-model <name>",
      "model of the endpoint that makes vectors of texts: for FAISS and the embedding scorers",
    )
    .option(
      "--seed <n>",
      "seed of all that is drawn; with --compat paper of controls only",
      AMOUNT,
      22,
    );
}

function withAsking(command: Command): void {
  command.optionsGroup("Explanations and scores:")
    .option(
      "--explainer <way>",
      `${EXPLAINERS.join(", ")} (takes those that are there)`,
      oneOf(...EXPLAINERS),
      "default",
    )
    .option(
      "--explain-in <language>",
      "english, or own: the language of the feature",
      oneOf("english", "own"),
      "english",
    )
    .option("--scorers <names...>", SCORERS.join(", "), each(oneOf(...SCORERS)), [
      "detection",
      "fuzz",
    ])
    .option(
      "--fuzz-type <way>",
      "what fuzz marks wrongly: default, tokens of other texts; active, other tokens of the same ones",
      oneOf("default", "active"),
      "default",
    )
    .option("--num-examples-per-scorer-prompt <n>", "examples of one question", COUNT, 5)
    .option(
      "--controls <names...>",
      "random: as many latents drawn at random; shuffled: explanations of other latents; none",
      each(oneOf(...CONTROLS, "none")),
      [...CONTROLS],
    )
    .option("--log-probs", "refused: scores do not rest on what endpoints may leave out")
    .option(
      "--prompt-texts <file>",
      "JSON with other instructions and few-shot examples, or a published default_instruction.json",
    );
  command.optionsGroup("The model that is asked:");
  withEndpointOptions(asStep(command));
  command
    .option(
      "--explainer-provider <name>",
      "openrouter or openai name an endpoint in the place of --base-url; offline is refused",
      oneOf("offline", "openrouter", "openai"),
    );
}

function withRun(command: Command): void {
  command.optionsGroup("The run:")
    .option("--out-dir <folder>", "where results go", "results")
    .option("--output-dir <folder>", "the same as --out-dir")
    .option("--name <name>", "folder of this run in it", "interpret")
    .option(
      "--dry-run",
      "write every prompt and an estimate of the cost, and ask nobody",
    )
    .option(
      "--overwrite <stages...>",
      "do again what is done: cache (activations), neighbours, scores",
      each(oneOf(...STAGES)),
      [],
    )
    .option("--populate-cache", "only read activations")
    .option("--scoring", "only explain and score")
    .option("--log-results", "only sum up what is there")
    .option("--no-verbose", "print no more than where results are")
    .option("--batch-size <n>", "rows of a batch", integer({ min: 1, max: 65_536 }), 32)
    .option("--block-tokens <n>", "most tokens of one batch", COUNT, 8192)
    .option(...MEMORY_BUDGET)
    .option(...KERNELS)
    .option(...PROFILE)
    .option(...COMPAT);
}

function withPublished(command: Command): void {
  command.optionsGroup("Published options without effect, or refused:")
    .option(
      "--env <place>",
      "where keys come from: always the environment",
      oneOf("local", "colab", "kaggle"),
    )
    .option("--hf-token <token>", "refused: set HF_TOKEN in the environment")
    .option("--faiss-embedding-cache-dir <folder>", "refused: see --request-cache")
    .option("--no-faiss-embedding-cache-enabled", "refused: see --request-cache")
    .option("--load-in-8bit", "refused: the model is computed in float32")
    .option("--num-gpus <n>", "only 1: activations are read by one", COUNT)
    .option(
      "--explainer-model-max-len <n>",
      "no effect: the endpoint knows how much its model reads",
      COUNT,
    )
    .option("--max-memory <share>", "refused: see --memory-budget", number({ min: 0, max: 1 }));
}

// deno-lint-ignore no-explicit-any -- as commander itself declares a command
function asStep(command: Command): any {
  return command;
}
