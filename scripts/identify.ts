#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope identify: which latents or neurons belong to which language (stage 3, spec section 6). */
import { join, resolve } from "node:path";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { integer, number, oneOf } from "../lib/cli/values.ts";
import { type Counted, profileTable, withCountOptions } from "../lib/count/command.ts";
import { countEvidence, type Evidence, readEvidence } from "../lib/count/evidence.ts";
import { parseDatasetConfigs } from "../lib/data/dataset_configs.ts";
import { writeAtomic } from "../lib/data/files.ts";
import { languageOf } from "../lib/data/languages.ts";
import { codeHash, writeManifest } from "../lib/data/manifest.ts";
import { writeTable } from "../lib/data/tables.ts";
import { WeightStore } from "../lib/gpu/weight_store.ts";
import { FeatureMap, findFirings, type Firing } from "../lib/interpret/firings.ts";
import { type Sample, sampleTexts } from "../lib/interpret/samples.ts";
import { featureColumns } from "../lib/lape/features_table.ts";
import type { Identification } from "../lib/lape/identification.ts";
import { identifyLape, LAPE_RATES } from "../lib/lape/identify_neurons.ts";
import {
  HIGH_FREQUENCY_RATE,
  identifySaeLape,
  resolveSaeLapeOptions,
  type SaeLapeOptions,
} from "../lib/lape/identify_sae.ts";
import { toLapeJson } from "../lib/lape/lape_json.ts";
import { pageFindings, shownFeatures } from "../lib/report/identification_page.ts";
import { identificationTable } from "../lib/report/identification_table.ts";
import { renderReport } from "../lib/report/render_report.ts";
import type { ReportMethod } from "../lib/report/report_data.ts";
import { openLlama } from "../lib/subject/open_llama.ts";

const command = withCountOptions(step(
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
  .option("--out-filename <name>", "file with the features under the original's keys", "lape.json")
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
  .option("--entropy-threshold <nats>", "keep features of at most this entropy", number({ min: 0 }))
  .option(
    "--report-texts <n>",
    "texts per data set that the report shows features on; 0 for none",
    integer({ min: 0 }),
    6,
  );

type Options = ReturnType<typeof command.opts>;

async function main(options: Options): Promise<void> {
  const started = new Date();
  checkBeforeCounting(options);
  using evidence = await gather(options);
  const { pooled, languages } = evidence;
  const identification = isLape(options)
    ? identifyLape(pooled, { compat: options.compat })
    : identifySaeLape(pooled, options);
  const seen = await see(evidence.counted, identification, options);

  const folder = resolve(
    join(options.outDir, options.outPath ?? (isLape(options) ? "neurons" : "")),
  );
  const codes = new Map(languages.map(({ name, code }) => [name, code]));
  await writeTable(join(folder, "features"), featureColumns(identification, codes));
  const lape = toLapeJson(identification, pooled, options);
  await writeAtomic(join(folder, options.outFilename), JSON.stringify(lape) + "\n");
  const manifest = {
    step: "identify",
    options,
    ...evidence.provenance,
    identification_code: { sha256: await codeHash(["lib/lape"]) },
    started: started.toISOString(),
    seconds: (Date.now() - started.getTime()) / 1000,
  };
  await writeManifest(join(folder, "run.json"), manifest);
  await writeAtomic(
    join(folder, "report.html"),
    report(evidence, identification, seen, options, manifest),
  );

  print(identificationTable(identification, seen.samples, seen.firings));
  print(
    `\n${folder} has report.html, features.csv, features.parquet, ${options.outFilename}, run.json`,
  );
  if (options.profile && evidence.counted) {
    print(profileTable((await evidence.counted.openGpu()).gpu) ?? "");
  }
}

function isLape({ algorithm }: Options): boolean {
  return algorithm === "lape";
}

/** Options that do not fit the languages asked for are refused before their texts are counted. */
function checkBeforeCounting(options: Options): void {
  if (isLape(options) || options.inPath !== undefined) return;
  const specs = parseDatasetConfigs(options.datasetConfigs, options);
  const languages = new Set(specs.map(({ lang }) => languageOf(lang).name));
  resolveSaeLapeOptions(options, languages.size);
}

/** Counts, made now or read from `--in-path`. */
async function gather(options: Options): Promise<Evidence> {
  const { inPath, inDir, outDir, compat } = options;
  if (inPath !== undefined) {
    const named = command.getOptionValueSource("datasetConfigs") !== "default";
    return await readEvidence(
      inDir ?? outDir,
      inPath,
      named ? options.datasetConfigs : undefined,
      compat,
    );
  }
  return await countEvidence(options, isLape(options) ? ["layers.*.mlp.act_fn"] : undefined);
}

/** Sample texts, and where the features that are shown fire on them. */
interface Seen {
  readonly samples: readonly Sample[];
  readonly firings: FeatureMap<Firing[]>;
}

async function see(
  counted: Counted | undefined,
  identification: Identification,
  options: Options,
): Promise<Seen> {
  if (!counted || options.reportTexts === 0) return { samples: [], firings: new FeatureMap() };
  const { subject, corpora } = counted;
  const samples = sampleTexts(corpora, subject.tokenizer, options.reportTexts);
  const { gpu } = await counted.openGpu();
  using store = new WeightStore(gpu);
  using llama = openLlama(gpu, subject, store);
  const texts = samples.map(({ ids }) => ids);
  const longest = texts.reduce((most, { length }) => Math.max(most, length), 0);
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  const tokens = Math.max(longest, Math.min(options.blockTokens, llama.mostTokens, total));
  const limits = { tokens, examples: options.batchSize };
  const features = shownFeatures(identification);
  const firings = await findFirings(gpu, llama, store, subject.targets, features, texts, limits);
  return { samples, firings };
}

function report(
  { counted, pooled, languages, corpus, provenance }: Evidence,
  identification: Identification,
  seen: Seen,
  options: Options,
  manifest: { readonly started: string; readonly seconds: number },
): string {
  const { started, seconds } = manifest;
  return renderReport({
    title: "Language-specific features",
    model: counted?.subject.modelName ?? "counts only",
    sae: counted?.subject.saeName ?? "MLP neurons",
    corpus,
    method: methodOf(options, languages.length),
    options: Object.entries(options).map(([name, value]) => [name, String(value)]),
    command: ["babelscope", "identify", ...Deno.args].join(" "),
    provenance: [["started", started], ["seconds", seconds.toFixed(1)], ...flattened(provenance)],
    ...pageFindings({ identification, pooled, languages, ...seen }),
  });
}

function methodOf(options: Partial<SaeLapeOptions> & Options, languages: number): ReportMethod {
  if (isLape(options)) {
    const { topRate, filterRate, activationBarRatio } = LAPE_RATES;
    return { algorithm: "lape", topRate, filterRate, barRatio: activationBarRatio };
  }
  const { exampleRate, topkThresholdRatio } = resolveSaeLapeOptions(options, languages);
  return {
    algorithm: "sae_lape",
    exampleRate,
    tokenRate: HIGH_FREQUENCY_RATE,
    ratio: topkThresholdRatio,
  };
}

/** A tree of values as `a.b.c` → text. */
function flattened(value: unknown, path = ""): [string, string][] {
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner, path ? `${path}.${key}` : key)
  );
}

if (import.meta.main) await run(command, main);
