/** The command line of `classify` (spec section 9). */
import { step } from "../cli/step.ts";
import { each, integer, oneOf } from "../cli/values.ts";
import { LAPE_RESULT_PATH } from "../identify/lape_result.ts";
import { withModelOptions, withRunOptions, withTextOptions } from "../session/options.ts";
import { CLASSIFIERS } from "./classifiers.ts";

/** The command of the step, with all its options. */
export function classifyCommand() {
  return withRunOptions(withTextOptions(withModelOptions(step(
    "classify",
    "Tell the language of texts by the features that fire, and compare with language identifiers.",
    "babelscope classify --classifier-type sae-count fasttext --dataset-configs udhr:{en,de,th}:even",
  ))))
    .option(
      "--classifier-type <types...>",
      "sae-count: slots of a language's features; sae-min-max: their values between the smallest and " +
        "the largest seen; neuron-count: the same as sae-count with neurons; diffmean: along the " +
        "difference of mean activations; fasttext (lid.176) and eld: language identifiers without a " +
        "model. One pass over the model serves all but diffmean, which has its own (default: sae-min-max)",
      each(oneOf(...CLASSIFIERS)),
    )
    .option(
      "--normalize",
      "also with each score divided by the number of the language's features",
    )
    .option(...LAPE_RESULT_PATH)
    .option(
      "--neuron-lape-result-path <file>",
      "the same for neuron-count, when classifiers of both kinds run (default: --lape-result-path " +
        "where neuron-count runs without SAEs, else <out-dir>/neurons/lape.json)",
    )
    .option(
      "--exclude-bos",
      "leave BOS out of the scores: for features and means that were identified without it",
    )
    .option(
      "--bootstrap <n>",
      "resamples of documents for the 95 % intervals; 0 for none",
      integer({ min: 0 }),
      1000,
    )
    .option("--seed <n>", "seed of the resamples", integer({ min: 0 }), 0);
}

/** What the options of `classify` are parsed to. */
export type ClassifyOptions = ReturnType<ReturnType<typeof classifyCommand>["opts"]>;
