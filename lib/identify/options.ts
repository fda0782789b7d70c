/** The command line of `identify` (stage 3, spec section 6). */
import { step } from "../cli/step.ts";
import { integer, number, oneOf } from "../cli/values.ts";
import { withCountOptions } from "../count/command.ts";

/** The command of the step, with all its options. */
export function identifyCommand() {
  return withCountOptions(step(
    "identify",
    "Find the language-specific features of a model: counts, then SAE-LAPE, then a report.",
    "babelscope identify --dataset-configs udhr:{en,de,th} --top 10",
  ))
    .option(
      "--algorithm <rule>",
      "sae-lape (latents) or lape (neurons)",
      oneOf("sae-lape", "sae_lape", "lape"),
      "sae-lape",
    )
    .option("--in-dir <folder>", "folder that --in-path lies in (default: --out-dir)")
    .option(
      "--in-path <folder>",
      "take the counts that are here, without a model, instead of counting",
    )
    .option(
      "--out-path <folder>",
      "folder of the results within --out-dir (default: itself; neurons for lape)",
    )
    .option(
      "--out-filename <name>",
      "file with the features under the original's keys",
      "lape.json",
    )
    .option(
      "--example-rate <share>",
      "a candidate fires in this share of some language's texts (default: 0.98)",
      number({ min: 0, max: 1 }),
    )
    .option(
      "--topk-threshold-ratio <share>",
      "a language owns a candidate from this share of its highest probability on (default: 0.5; 0.8 " +
        "under --compat paper)",
      number({ min: 0, max: 1 }),
    )
    .option(
      "--lang-specific",
      "keep features of exactly one language (default, but under --compat paper)",
    )
    .option("--lang-shared", "keep features of exactly --shared-count languages")
    .option(
      "--shared-count <n>",
      "languages that share a feature under --lang-shared (default: 2)",
      integer({ min: 1 }),
    )
    .option(
      "--top <n>",
      "keep this many features per language, lowest entropy first; 0 for all (default: all)",
      integer({ min: 0 }),
    )
    .option("--top-per-layer", "--top counts per layer")
    .option("--top-by-frequency", "--top keeps the most probable features")
    .option(
      "--entropy-threshold <nats>",
      "keep features of at most this entropy",
      number({ min: 0 }),
    )
    .option(
      "--report-texts <n>",
      "texts per data set that the report shows features on; 0 for none",
      integer({ min: 0 }),
      6,
    )
    .option("--no-report", "leave report.html out; the step report makes it later")
    .option(
      "--bootstrap <n>",
      "resamples of the documents for the 95 % intervals of entropies and probabilities; 0 for none",
      integer({ min: 0 }),
      1000,
    )
    .option(
      "--permutations <n>",
      "permutations of the documents' languages for the p- and q-values; 0 for none",
      integer({ min: 0 }),
      999,
    )
    .option("--seed <n>", "seed of both", integer({ min: 0 }), 0)
    .option(
      "--replicate <spec...>",
      "other texts of the same languages, named like --dataset-configs, to look for the features in " +
        "as well",
    );
}

/** What the options of `identify` are parsed to. */
export type IdentifyOptions = ReturnType<ReturnType<typeof identifyCommand>["opts"]>;
