/** The command line of `generate` (spec 8.1). */
import { step } from "../cli/step.ts";
import { each, integer, number, oneOf } from "../cli/values.ts";
import { MOST_TOP_K } from "../gpu/sampler.ts";
import { LAPE_RESULT_PATH } from "../identify/lape_result.ts";
import { NEURON_METHOD, NEURON_VALUE } from "../session/intervention_options.ts";
import { withModelOptions, withRunOptions } from "../session/options.ts";
import type { ActivationValue } from "../steer/interventions.ts";
import { LAPE_VALUES } from "../steer/language_interventions.ts";

/** m where none is given: what makes the embedded model change its language. */
const USUAL_MULTIPLIER = 0.4;

const VALUES = [...Object.keys(LAPE_VALUES), "max", "min", "avg"];

/** The command of the step, with all its options. */
export function generateCommand() {
  return withRunOptions(withModelOptions(step(
    "generate",
    "Let a model write texts while it is steered towards languages, and as it is.",
    "babelscope generate --lang de th --multiplier 0.2 0.4 --times 3",
  )))
    .option(
      "--lang <codes...>",
      "languages to steer towards (default: all that have features, and the model as it is)",
    )
    .option(
      "--multiplier <m...>",
      "m of m V_f W_dec[f], for sae-features (the original's default is 1, under which texts of the " +
        "embedded model fall apart)",
      each(number()),
      [USUAL_MULTIPLIER],
    )
    .option("--max-new-token <n>", "most tokens of a text", integer({ min: 1, max: 32768 }), 50)
    .option("--times <n>", "texts of each kind, with seeds from --seed on", integer({ min: 1 }), 5)
    .option("--seed <n>", "seed of the first text", integer({ min: 0 }), 0)
    .option("--prompt <text>", "how texts begin; BOS goes in front", "")
    .option(
      "--last-token-only",
      "steer at the last token of the prompt and at new ones, not at the whole prompt",
    )
    .option(
      "--temperature <t>",
      "of sampling; 0 is --greedy (default: the model's own, else 0.6)",
      number({ min: 0 }),
    )
    .option(
      "--top-k <n>",
      "draw from so many of the most probable tokens (default: the model's own, else 50)",
      integer({ min: 1, max: MOST_TOP_K }),
    )
    .option(
      "--top-p <share>",
      "of those, draw from the fewest that have this share of the probability (default: the model's " +
        "own, else 0.9)",
      number({ min: 0, max: 1 }),
    )
    .option("--greedy", "always take the most probable token")
    .option(
      "--intervention-type <kind>",
      "sae-features (steering vectors of latents) or neuron",
      oneOf("sae-features", "neuron"),
      "sae-features",
    )
    .option(...NEURON_VALUE)
    .option(...NEURON_METHOD)
    .option(
      "--lape-value-type <key>",
      `V_f, the feature's activation over all languages: ${VALUES.join(", ")}`,
      oneOf(...VALUES),
      "max",
    )
    .option(...LAPE_RESULT_PATH)
    .option("--in-path <file>", "the same as --lape-result-path")
    .option(
      "--control <n>",
      "also steer towards as many random features of the same layers, n times per language",
      integer({ min: 0, max: 1000 }),
      0,
    )
    .option("--out-path <folder>", "folder of the texts within --out-dir", "text_generation");
}

/** What the options are parsed to. */
export type GenerateOptions = ReturnType<ReturnType<typeof generateCommand>["opts"]>;

/** V by the option's value. */
export function lapeValueOf(
  { lapeValueType }: Pick<GenerateOptions, "lapeValueType">,
): ActivationValue {
  return LAPE_VALUES[lapeValueType] ?? lapeValueType as ActivationValue;
}
