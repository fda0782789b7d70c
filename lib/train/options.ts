/** Options of `train-sae`, by sparsify's names (spec train-and-interpret A.6), and what was added. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { StepCommand } from "../cli/step.ts";
import { each, integer, number, oneOf, size } from "../cli/values.ts";
import type { NORMAL_FORMS } from "../data/corpus_files.ts";
import { NORMAL_FORM, PROMPT_TEMPLATE, TEXT_COLUMN } from "../session/options.ts";
import { type OptimizerName, OPTIMIZERS } from "./optimizers/learning_rate.ts";

/** What the options are parsed to. */
export interface TrainOptions {
  readonly model?: string;
  readonly revision?: string;
  readonly dataset?: string;
  readonly subset?: string;
  readonly split: string;
  readonly datasetConfigs?: string[];
  readonly dataArgs: string;
  readonly ctxLen: number;
  readonly textColumn?: string;
  readonly promptTemplate?: string;
  readonly normalForm?: (typeof NORMAL_FORMS)[number];
  readonly shares?: ReadonlyMap<string, number>;
  readonly shuffleSeed: number;
  readonly maxExamples?: number;
  readonly excludeTokens: string[];
  readonly heldOut: string;
  readonly dataPreprocessingNumProc: number;
  readonly cacheDir?: string;
  readonly hfToken?: string;

  readonly activation: "topk" | "groupmax";
  readonly expansionFactor: number;
  readonly numLatents: number;
  readonly k: number;
  readonly normalizeDecoder: boolean;
  readonly multiTopk?: true;
  readonly skipConnection?: true;
  readonly transcode?: true;

  readonly hookpoints: string[];
  readonly layers: number[];
  readonly layerStride: number;
  readonly initSeeds: number[];
  readonly finetune?: string;

  readonly batchSize: number;
  readonly gradAccSteps: number;
  readonly microAccSteps: number;
  readonly lossFn: "fvu" | "ce" | "kl";
  readonly optimizer: OptimizerName;
  readonly lr?: number;
  readonly lrWarmupSteps: number;
  readonly kDecaySteps: number;
  readonly auxkAlpha: number;
  readonly deadFeatureThreshold: number;

  readonly saveDir: string;
  readonly runName: string;
  readonly saveEvery: number;
  readonly saveBest?: true;
  readonly resume?: true;
  readonly wandbLogFrequency: number;
  readonly logToWandb?: true;
  readonly distributeModules?: true;
  readonly loadIn8bit?: true;
  readonly streamDataset?: true;
  readonly customLogic?: true;

  readonly memoryBudget?: number;
  readonly kernels?: "texture" | "tile";
  readonly profile?: true;
  readonly compat?: "paper";
}

const COUNT = integer({ min: 1 });
const AMOUNT = integer({ min: 0 });

/** Adds the options; they are declared above, not inferred: the type checker takes minutes for that. */
export function withTrainOptions(command: unknown): StepCommand<TrainOptions> {
  const plain = command as Command;
  for (const add of [withData, withCoder, withHookpoints, withOptimization, withRun]) add(plain);
  return command as StepCommand<TrainOptions>;
}

function withData(command: Command): void {
  command
    .argument(
      "[model]",
      "a Llama: a folder in Hugging Face layout, a GGUF file, or owner/name(@revision) on the hub " +
        "(default: the embedded model)",
    )
    .argument(
      "[dataset]",
      "rows of token ids (a folder of pretokenize, .bin, .safetensors) or texts: a folder, a file, or " +
        "owner/name(@revision) on the hub",
    )
    .option("--model <name>", "the same as [model]")
    .option("--revision <name>", "revision of a model on the hub")
    .option("--dataset <name>", "the same as [dataset]")
    .option("--subset <name>", "configuration of [dataset] (default: default)")
    .option("--split <name>", "split of [dataset]", "train")
    .option(
      "--dataset-configs <spec...>",
      "texts of languages in the place of [dataset], as name:lang or name:lang:split:start:end",
    )
    .option("--data-args <text>", "refused: name a configuration by --subset", "")
    .option("--ctx-len <n>", "tokens of a row, where the data does not say", COUNT, 2048)
    .option(...TEXT_COLUMN)
    .option(...PROMPT_TEMPLATE)
    .option(...NORMAL_FORM)
    .option("--shares <language=share,...>", "mix languages: en=2,de=1 (default: all rows)", shares)
    .option("--shuffle-seed <n>", "seed of the order of rows", AMOUNT, 42)
    .option("--max-examples <n>", "most rows to train on (default: all)", COUNT)
    .option(
      "--exclude-tokens <token...>",
      "tokens not to train on, though the model reads them: ids, bos, eos, or special for both",
      [],
    )
    .option(
      "--held-out <share|dataset>",
      "what to measure on at every checkpoint: a share of the rows, which is not trained on, or other " +
        "data; at most 131,072 tokens (0 with --compat paper)",
      "0.01",
    )
    .option(
      "--data-preprocessing-num-proc <n>",
      "processes that the published program would run; only with --compat paper do rows depend on it",
      integer({ min: 1, max: 65_536 }),
      1,
    )
    .option("--cache-dir <folder>", "the hub's cache (default: HF_HUB_CACHE)")
    .option("--hf-token <token>", "for the hub; never written (default: HF_TOKEN)")
    .option("--stream-dataset", "no effect: texts are always streamed")
    .option("--custom-logic", "no effect: --dataset-configs says it all");
}

function withCoder(command: Command): void {
  command
    .option("--activation <name>", "topk or groupmax", oneOf("topk", "groupmax"), "topk")
    .option("--expansion-factor <n>", "latents per value of the hookpoint", COUNT, 32)
    .option("--num-latents <n>", "latents (default: after --expansion-factor)", AMOUNT, 0)
    .option("--k <n>", "active latents per token", COUNT, 32)
    .option("--no-normalize-decoder", "let rows of the decoder have any length")
    .option("--multi-topk", "train on the 4 k largest latents as well")
    .option("--skip-connection", "add a linear map of the input to the output")
    .option("--transcode", "predict a module's output from its input");
}

function withHookpoints(command: Command): void {
  command
    .option(
      "--hookpoints <glob...>",
      "where coders are trained: layers.N, layers.N.mlp or layers.N.mlp.act_fn, with braces and globs; * " +
        "stays within one part of a name, but with --compat paper (default: layers.*, all blocks; of the " +
        "embedded model layers.*.mlp)",
      [],
    )
    .option("--layers <n...>", "blocks by number, in the place of --hookpoints", each(AMOUNT), [])
    .option("--layer-stride <n>", "every n-th hookpoint", COUNT, 1)
    .option("--init-seeds <n...>", "a coder per hookpoint and seed", each(AMOUNT), [0])
    .option("--finetune <folder>", "begin with the coders of this folder (<folder>/<hookpoint>)");
}

function withOptimization(command: Command): void {
  command
    .option("--batch-size <n>", "rows of a micro-batch", COUNT, 32)
    .option("--grad-acc-steps <n>", "micro-batches of a step", COUNT, 1)
    .option(
      "--micro-acc-steps <n>",
      "pieces of a micro-batch that coders see one by one, each with an FVU of its own",
      COUNT,
      1,
    )
    .option("--loss-fn <name>", "fvu; ce and kl come later", oneOf("fvu", "ce", "kl"), "fvu")
    .option("--optimizer <name>", OPTIMIZERS.join(", "), oneOf(...OPTIMIZERS), "signum")
    .option(
      "--lr <rate>",
      "learning rate (default: signum 5e-3, adam 2e-4, each / √(latents / 16384); muon 2e-3)",
      number({ min: Number.MIN_VALUE }),
    )
    .option("--lr-warmup-steps <n>", "steps in which the rate of adam rises", AMOUNT, 1000)
    .option("--k-decay-steps <n>", "micro-batches in which k falls from 10 per value", AMOUNT, 0)
    .option("--auxk-alpha <weight>", "weight of the loss of dead latents", number({ min: 0 }), 0)
    .option(
      "--dead-feature-threshold <tokens>",
      "a latent that has not fired in more is dead",
      integer({ min: 0, max: 2 ** 32 - 1 }),
      10_000_000,
    );
}

function withRun(command: Command): void {
  command
    .option("--save-dir <folder>", "where trainings are", "checkpoints")
    .option("--run-name <name>", "folder of this one", "unnamed")
    .option("--save-every <steps>", "steps from one checkpoint to the next", COUNT, 1000)
    .option("--save-best", "keep the coder of least held-out FVU of each hookpoint in best/")
    .option("--resume", "go on from the last checkpoint, with the same options")
    .option("--wandb-log-frequency <steps>", "steps from one line of metrics to the next", COUNT, 1)
    .option("--log-to-wandb", "refused: metrics.jsonl has all that wandb would get")
    .option("--distribute-modules", "refused: one GPU trains all hookpoints")
    .option("--load-in-8bit", "refused: the model is computed in float32")
    .option("--memory-budget <size>", "most GPU memory to use, e.g. 2GiB (default: no bound)", size)
    .option(
      "--kernels <family>",
      "kernels of the heavy products: texture (software Vulkan) or tile (GPUs) (default: after the adapter)",
      oneOf("texture", "tile"),
    )
    .option("--profile", "print the GPU time of every kernel at the end")
    .option("--compat <system>", "reproduce published bugs of: paper", oneOf("paper"));
}

/** `en=2,de=1` */
function shares(text: string): ReadonlyMap<string, number> {
  const pairs = text.split(",").map((pair) => /^([\w-]+)=(\d+(?:\.\d+)?)$/.exec(pair.trim()));
  const found = pairs.flatMap((match) => match ? [[match[1], Number(match[2])] as const] : []);
  if (found.length === pairs.length && new Map(found).size === found.length) return new Map(found);
  throw new InvalidArgumentError(
    `expected languages with their shares, such as en=2,de=1, got "${text}".`,
  );
}
