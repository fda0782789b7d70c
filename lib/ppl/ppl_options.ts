/** The command line of `ppl` (spec 8.2). */
import { step } from "../cli/step.ts";
import { integer, number, oneOf } from "../cli/values.ts";
import { LAPE_RESULT_PATH } from "../identify/lape_result.ts";
import { NEURON_METHOD, NEURON_VALUE } from "../session/intervention_options.ts";
import { withModelOptions, withRunOptions, withTextOptions } from "../session/options.ts";
import { LAPE_VALUES } from "../steer/language_interventions.ts";

/** The command of the step, with all its options. */
export function pplCommand() {
  return withRunOptions(withTextOptions(withModelOptions(step(
    "ppl",
    "Measure how well a model predicts each language, as it is or with a language's features changed.",
    "babelscope ppl --intervention-type sae-features --multiplier -0.2 --dataset-configs udhr:{en,de,th}",
  ))))
    .option(
      "--intervention-type <kind>",
      "sae-features (steering vectors of latents) or neuron (default: the model as it is)",
      oneOf("sae-features", "neuron"),
    )
    .option(
      "--intervention-lang <codes...>",
      "languages whose features are changed, one after the other (default: all that have features)",
    )
    .option("--multiplier <m>", "m of m V_f W_dec[f], for sae-features", number(), -1)
    .option(...NEURON_VALUE)
    .option(...NEURON_METHOD)
    .option(
      "--lape-value-type <key>",
      `V_f, the feature's activation over all languages: ${Object.keys(LAPE_VALUES).join(", ")}`,
      oneOf(...Object.keys(LAPE_VALUES)),
      "final_indice_global_max_active",
    )
    .option(...LAPE_RESULT_PATH)
    .option(
      "--control <n>",
      "also change as many random features of the same layers, n times per language",
      integer({ min: 0, max: 1000 }),
      0,
    )
    .option("--seed <n>", "seed of the random features and of the intervals", integer(), 0)
    .option(
      "--out-path <folder>",
      "folder of the results within <out-dir>/ppl (default: by what is done: normal, " +
        "sae-features_max_-0.2, neuron_fixed_0, neuron_scaling_max_0.2)",
    );
}

/** What the options are parsed to. */
export type PplOptions = ReturnType<ReturnType<typeof pplCommand>["opts"]>;

/** Folder of the results within `<out-dir>/ppl`, by what is done. */
export function usualFolder(options: PplOptions): string {
  const value = LAPE_VALUES[options.lapeValueType];
  if (options.interventionType === undefined) return "normal";
  if (options.interventionType === "sae-features") {
    return `sae-features_${value}_${options.multiplier}`;
  }
  const method = options.neuronInterventionMethod;
  return method === "fixed"
    ? `neuron_fixed_${options.value}`
    : `neuron_scaling_${value}_${options.value}`;
}
