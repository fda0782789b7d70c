/** identify: which latents or neurons belong to which language (stage 3, spec section 6). */
import { join, resolve } from "node:path";
import { print } from "../cli/output.ts";
import type { Counted } from "../count/command.ts";
import { countEvidence, type Evidence, readEvidence } from "./evidence.ts";
import { parseDatasetConfigs } from "../data/dataset_configs.ts";
import { writeAtomic } from "../data/files.ts";
import { languageOf } from "../data/languages.ts";
import { codeHash, writeManifest } from "../data/manifest.ts";
import { writeTable } from "../data/tables.ts";
import { FeatureMap, findFirings, type Firing } from "../interpret/firings.ts";
import { type Sample, sampleTexts } from "../interpret/samples.ts";
import { featureColumns } from "../lape/features_table.ts";
import type { Identification } from "../lape/identification.ts";
import { identifyLape, LAPE_RATES } from "../lape/identify_neurons.ts";
import {
  HIGH_FREQUENCY_RATE,
  identifySaeLape,
  resolveSaeLapeOptions,
  type SaeLapeOptions,
} from "../lape/identify_sae.ts";
import { toLapeJson } from "../lape/lape_json.ts";
import { pageFindings, shownFeatures } from "../report/identification_page.ts";
import { identificationTable } from "../report/identification_table.ts";
import { renderReport } from "../report/render_report.ts";
import type { ReportMethod } from "../report/report_data.ts";
import { profileTable, runModel } from "../session/session.ts";
import type { IdentifyOptions } from "./options.ts";

/**
 * Does what the options of `identify` say, and prints what was found.
 *
 * @param named whether the options name data sets; else all counts of `--in-path` are taken
 * @returns the path of the file with the features
 * @throws InputError for options, texts, SAEs or files that cannot be used
 */
export async function identify(options: IdentifyOptions, named: boolean): Promise<string> {
  const started = new Date();
  checkBeforeCounting(options);
  using evidence = await gather(options, named);
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
  return join(folder, options.outFilename);
}

function isLape({ algorithm }: IdentifyOptions): boolean {
  return algorithm === "lape";
}

/** Options that do not fit the languages asked for are refused before their texts are counted. */
function checkBeforeCounting(options: IdentifyOptions): void {
  if (isLape(options) || options.inPath !== undefined) return;
  const specs = parseDatasetConfigs(options.datasetConfigs, options);
  const languages = new Set(specs.map(({ lang }) => languageOf(lang).name));
  resolveSaeLapeOptions(options, languages.size);
}

/** Counts, made now or read from `--in-path`. */
async function gather(options: IdentifyOptions, named: boolean): Promise<Evidence> {
  const { inPath, inDir, outDir, compat } = options;
  if (inPath !== undefined) {
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
  options: IdentifyOptions,
): Promise<Seen> {
  if (!counted || options.reportTexts === 0) return { samples: [], firings: new FeatureMap() };
  const { subject, corpora } = counted;
  const samples = sampleTexts(corpora, subject.tokenizer, options.reportTexts);
  using model = await runModel(counted, options);
  const longest = samples.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const total = samples.reduce((sum, { ids }) => sum + ids.length, 0);
  const tokens = Math.max(longest, Math.min(model.limits.tokens, total));
  const reader = { ...model, limits: { ...model.limits, tokens } };
  const features = shownFeatures(identification);
  const firings = await findFirings(reader, subject.targets, features, samples);
  return { samples, firings };
}

function report(
  { counted, pooled, languages, corpus, provenance }: Evidence,
  identification: Identification,
  seen: Seen,
  options: IdentifyOptions,
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

function methodOf(
  options: Partial<SaeLapeOptions> & IdentifyOptions,
  languages: number,
): ReportMethod {
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
