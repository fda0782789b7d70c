/** The command line of `evaluate-sae`. */
import { step, type StepCommand } from "../../cli/step.ts";
import { integer } from "../../cli/values.ts";
import {
  type ModelOptions,
  type RunOptions,
  type TextOptions,
  withModelOptions,
  withRunOptions,
  withTextOptions,
} from "../../session/options.ts";

/** What the options are parsed to. */
export interface EvaluateOptions extends ModelOptions, TextOptions, RunOptions {
  readonly tokens?: string;
  readonly ctxLen: number;
  readonly windows: number;
  readonly excludeTokens?: string[];
  readonly splice: boolean;
  readonly outPath: string;
}

/** The command of the step, with all its options. */
export function evaluateCommand(): StepCommand<EvaluateOptions> {
  return withRunOptions(withTextOptions(withModelOptions(step(
    "evaluate-sae",
    "Measure how good SAEs are: what they explain of activations, and of the model's predictions.",
    "babelscope evaluate-sae --local-sae-dir checkpoints/mine --dataset-configs udhr:{en,de,th}",
  ))))
    .option(
      "--tokens <name>",
      "token ids in the place of texts: a folder of pretokenize, a .safetensors file with a vector per " +
        "language, or a .bin file",
    )
    .option(
      "--ctx-len <n>",
      "tokens of a window of --tokens, where the data does not say so itself",
      integer({ min: 2 }),
      128,
    )
    .option(
      "--windows <n>",
      "most texts, or windows of --tokens, of each language",
      integer({ min: 1 }),
      20,
    )
    .option(
      "--exclude-tokens <token...>",
      "tokens that keep the module's own output and do not count in FVU, L0 and dead latents: ids, bos, " +
        "eos or special",
    )
    .option("--no-splice", "leave out what the model predicts with the SAEs spliced in")
    .option("--out-path <folder>", "folder of the results within <out-dir>", "evaluation");
}
