/** identify: which latents or neurons belong to which language (stage 3, spec section 6). */
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Counted } from "../count/command.ts";
import { countEvidence, type Evidence, readEvidence } from "./evidence.ts";
import { parseDatasetConfigs } from "../data/dataset_configs.ts";
import { DIFFMEAN_FILE, writeDiffMean } from "../data/diffmean_files.ts";
import { writeAtomic } from "../data/files.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { languageOf } from "../data/languages.ts";
import { codeHash, timesSince, writeManifest } from "../data/manifest.ts";
import { writeTable } from "../data/tables.ts";
import { FeatureMap, findFirings, type Firing } from "../interpret/firings.ts";
import { type Sample, sampleTexts } from "../interpret/samples.ts";
import { type Certainty, findingsBelow } from "../lape/certainty.ts";
import { diffMean } from "../lape/diffmean.ts";
import { featureColumns } from "../lape/features_table.ts";
import type { Identification } from "../lape/identification.ts";
import { LAPE_RATES } from "../lape/identify_neurons.ts";
import {
  HIGH_FREQUENCY_RATE,
  resolveSaeLapeOptions,
  type SaeLapeOptions,
} from "../lape/identify_sae.ts";
import { toLapeJson } from "../lape/lape_json.ts";
import { pageFindings, shownFeatures } from "../report/identification_page.ts";
import { identificationTable } from "../report/identification_table.ts";
import { IDENTIFICATION_FILE, writeIdentification } from "../report/identification_file.ts";
import { replicationTable } from "../report/replication_table.ts";
import type { ReportData, ReportMethod } from "../report/report_data.ts";
import { REPORT_FILE, writeReport } from "../report/write_report.ts";
import { profileTable, runModel } from "../session/session.ts";
import { measureCertainty } from "./certainty.ts";
import type { IdentifyOptions } from "./options.ts";
import {
  checkReplication,
  type Replicated,
  replicateIn,
  REPLICATION_FILES,
  writeReplication,
} from "./replication.ts";
import { identifyIn, isLape, usualHookpoints } from "./rules.ts";

/** What an identification has left behind. */
export interface Identified {
  /** Path of the file with the features under the original's keys. */
  readonly path: string;
  /** What was found and where it is, to print. */
  readonly summary: string;
}

/**
 * Does what the options of `identify` say.
 *
 * @param named whether the options name data sets; else all counts of `--in-path` are taken
 * @throws InputError for options, texts, SAEs or files that cannot be used, and for a folder in which
 *   another run works
 */
export async function identify(options: IdentifyOptions, named: boolean): Promise<Identified> {
  const started = new Date();
  checkBeforeCounting(options);
  const folder = resolve(options.outDir, options.outPath ?? (isLape(options) ? "neurons" : ""));
  using _claim = await claimFolder(folder);
  using evidence = await gather(options, named);
  const { pooled } = evidence;
  const identification = identifyIn(pooled, options);
  const certainty = await measureCertainty(pooled, identification, options);
  const seen = await see(evidence.counted, identification, options);
  const { replicate } = options;
  const replicated = replicate &&
    await replicateIn({ ...options, replicate }, { pooled, identification });

  const found = { evidence, identification, certainty, seen, replicated };
  const files = await write(folder, found, options, started);
  const parts = [
    identificationTable(identification, seen.samples, seen.firings, certainty),
    replicated &&
    `Found again in ${replicated.corpus}:\n${replicationTable(replicated.replication)}`,
    `${folder} has ${files.join(", ")}`,
    options.profile && evidence.counted &&
    profileTable((await evidence.counted.openGpu()).gpu),
  ];
  return {
    path: join(folder, options.outFilename),
    summary: parts.filter(Boolean).join("\n\n"),
  };
}

/** All that a run found. */
interface Found {
  readonly evidence: Evidence;
  readonly identification: Identification;
  readonly certainty?: Certainty;
  readonly seen: Seen;
  readonly replicated?: Replicated;
}

/** @returns names of the files */
async function write(
  folder: string,
  found: Found,
  options: IdentifyOptions,
  started: Date,
): Promise<string[]> {
  const { evidence, identification, certainty, replicated } = found;
  const { pooled, languages } = evidence;
  const codes = new Map(languages.map(({ name, code }) => [name, code]));
  await writeTable(join(folder, "features"), featureColumns(identification, codes, certainty));
  const lape = toLapeJson(identification, pooled, options);
  await writeAtomic(join(folder, options.outFilename), JSON.stringify(lape) + "\n");
  // what an earlier run left must not stand for what this one has not
  for (const name of [DIFFMEAN_FILE, ...REPLICATION_FILES, REPORT_FILE]) {
    await rm(join(folder, name), { force: true });
  }
  const diff = diffMean(pooled);
  if (diff) await writeDiffMean(join(folder, DIFFMEAN_FILE), diff);
  if (replicated) await writeReplication(folder, replicated);
  const manifest = {
    step: "identify",
    options,
    ...evidence.provenance,
    certainty: certainty ? certaintyProvenance(identification, certainty) : null,
    ...replicated && { replication: replicated.provenance },
    identification_code: { sha256: await codeHash(["lib/lape", "lib/stats"]) },
    ...timesSince(started),
  };
  await writeManifest(join(folder, "run.json"), manifest);
  await writeIdentification(folder, reportData(found, options, manifest));
  if (options.report) await writeReport(folder);
  return [
    ...options.report ? [REPORT_FILE] : [],
    ...["features.csv", "features.parquet", options.outFilename],
    ...diff ? [DIFFMEAN_FILE] : [],
    ...replicated ? REPLICATION_FILES : [],
    ...[IDENTIFICATION_FILE, "run.json"],
  ];
}

/** What run.json says of the tests. */
function certaintyProvenance(
  identification: Identification,
  { groups, test, features }: Certainty,
) {
  return {
    groups,
    tests: test?.tests ?? 0,
    units_with_q_below_0_05: test ? findingsBelow(0.05, identification, features, test).units : 0,
  };
}

/** Options that do not fit the languages asked for are refused before their texts are counted. */
function checkBeforeCounting(options: IdentifyOptions): void {
  checkReplication(options);
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
  return await countEvidence(options, usualHookpoints(options));
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

/** What the page needs beside the results. */
function reportData(
  { evidence, identification, certainty, seen }: Found,
  options: IdentifyOptions,
  manifest: { readonly started: string; readonly seconds: number },
): ReportData {
  const { counted, pooled, languages, corpus, provenance } = evidence;
  const { started, seconds } = manifest;
  return {
    title: "Language-specific features",
    model: counted?.subject.modelName ?? "counts only",
    sae: counted?.subject.saeName ?? "MLP neurons",
    corpus,
    method: methodOf(options, languages.length),
    options: Object.entries(options).map(([name, value]) => [name, String(value)]),
    command: ["babelscope", "identify", ...Deno.args].join(" "),
    provenance: [["started", started], ["seconds", seconds.toFixed(1)], ...flattened(provenance)],
    ...pageFindings({ identification, pooled, languages, certainty, ...seen }),
  };
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
