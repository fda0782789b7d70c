/** Reads what the steps wrote into one folder. Every part is optional: a step may not have run. */
import { join } from "node:path";
import { z } from "zod";
import { type IdentifierName, openIdentifier } from "../classify/identifiers.ts";
import { listFolder, readJson } from "../data/files.ts";
import { isFile, isFolder } from "../data/file_tree.ts";
import { readLapeFile } from "../data/lape_files.ts";
import { readTable } from "../data/tables.ts";
import { InputError } from "../formats/input_error.ts";
import type {
  ChangeMatrix,
  ClassifierScore,
  Findings,
  FoundAgain,
  InterventionEffect,
  LanguageFeatures,
  SteeredTexts,
} from "./findings.ts";

/** Features below this q are called significant. */
const SIGNIFICANT = 0.05;

/**
 * Reads all that is there.
 *
 * @param folder `--out-dir` of the steps
 * @param judge says what language steered texts are in
 * @throws InputError when identify has not run there, or a file is damaged
 */
export async function readFindings(folder: string, judge: IdentifierName): Promise<Findings> {
  if (!await isFile(join(folder, "lape.json"))) {
    throw new InputError(
      `${folder} has no lape.json, so there is nothing to summarise; run "babelscope paper", or ` +
        `"babelscope identify --out-dir ${folder}" and the steps after it, first.`,
    );
  }
  const run = await read(join(folder, "run.json"), RunRecord);
  const { model, saes, corpora, certainty } = run;
  return {
    model: model?.name === "embedded" ? "the embedded model" : model?.name ?? UNTOLD,
    saes: saes?.name === "embedded" ? "that come with it" : saes ? saes.name ?? "none" : UNTOLD,
    foundOn: corpora ? dataSetsOf(corpora.flatMap(({ data_sets }) => data_sets)) : UNTOLD,
    features: await languageFeatures(folder),
    tested: certainty && certainty.tests > 0
      ? { tests: certainty.tests, significant: certainty.units_with_q_below_0_05 }
      : undefined,
    foundAgain: await foundAgain(join(folder, "replication.json")),
    classifiers: await classifiers(join(folder, "classification")),
    interventions: await interventions(join(folder, "ppl")),
    steered: await steered(join(folder, "text_generation", "generations.parquet"), judge),
    judge,
  };
}

const RunRecord = z.looseObject({
  // Not told of counts that identify only read.
  model: z.looseObject({ name: z.string() }).optional(),
  saes: z.looseObject({ name: z.string().nullable() }).optional(),
  corpora: z.array(z.looseObject({ data_sets: z.array(z.string()) })).optional(),
  certainty: z.looseObject({ tests: z.number(), units_with_q_below_0_05: z.number() }).nullable(),
});

/** What stands for names that run.json does not tell. */
const UNTOLD = "not told";

function dataSetsOf(specs: readonly string[]): string {
  return [...new Set(specs.map(withoutLanguage))].join(", ");
}

/** `udhr:en:odd` → `udhr:odd` */
function withoutLanguage(spec: string): string {
  const [name, , ...rest] = spec.split(":");
  return [name, ...rest].join(":");
}

async function languageFeatures(folder: string): Promise<LanguageFeatures[]> {
  const { languages, features } = await readLapeFile(join(folder, "lape.json"));
  const table = await readTable(join(folder, "features.parquet"), ["language", "q_value"]);
  const tested = table.q_value.some((q) => q !== null);
  const neuronsFile = join(folder, "neurons", "lape.json");
  const neurons = await isFile(neuronsFile) ? await readLapeFile(neuronsFile) : undefined;
  return languages.map((language, g) => ({
    language,
    features: features[g].length,
    significant: tested
      ? table.language.filter((name, i) =>
        name === language && Number(table.q_value[i] ?? 1) < SIGNIFICANT
      ).length
      : undefined,
    neurons: neurons?.features[neurons.languages.indexOf(language)]?.length,
  }));
}

const ReplicationRecord = z.looseObject({
  all: z.looseObject({
    features: z.number(),
    features_both: z.number(),
    entropy_spearman: z.number().nullable(),
  }),
});

async function foundAgain(path: string): Promise<FoundAgain | undefined> {
  if (!await isFile(path)) return undefined;
  const { all } = await read(path, ReplicationRecord);
  return {
    features: all.features,
    foundAgain: all.features_both,
    rankCorrelation: all.entropy_spearman ?? NaN,
  };
}

/** An interval that was not asked for excludes nothing. */
const UNKNOWN = { low: -Infinity, high: Infinity };

const Bounds = z.tuple([z.number(), z.number()]).nullable()
  .transform((bounds) => bounds ? { low: bounds[0], high: bounds[1] } : UNKNOWN);

const MetricsRecord = z.looseObject({
  texts: z.number(),
  accuracy: z.number(),
  f1_macro: z.number(),
  accuracy_interval: Bounds,
  f1_macro_interval: Bounds,
});

async function classifiers(folder: string): Promise<ClassifierScore[]> {
  const scores: ClassifierScore[] = [];
  for (const type of await foldersIn(folder)) {
    const path = join(folder, type, "metrics.json");
    if (!await isFile(path)) continue;
    const metrics = await read(path, MetricsRecord);
    scores.push({
      type,
      texts: metrics.texts,
      accuracy: { value: metrics.accuracy, ...metrics.accuracy_interval },
      f1: { value: metrics.f1_macro, ...metrics.f1_macro_interval },
    });
  }
  return scores.sort((a, b) => b.accuracy.value - a.accuracy.value);
}

const EffectRecord = z.looseObject({
  mean: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
}).transform(({ mean, low, high }) => ({
  value: mean,
  low: low ?? UNKNOWN.low,
  high: high ?? UNKNOWN.high,
}));

const EffectsRecord = z.looseObject({
  languages: z.array(z.unknown()),
  mean: z.looseObject({
    own: EffectRecord.nullable(),
    others: EffectRecord.nullable(),
    control_own: EffectRecord.nullable(),
    control_others: EffectRecord.nullable(),
  }),
  diagonal_dominance: z.looseObject({ largest: z.number(), of: z.number() }),
});

async function interventions(folder: string): Promise<InterventionEffect[]> {
  const effects: InterventionEffect[] = [];
  for (const name of await foldersIn(folder)) {
    const path = join(folder, name, "effects.json");
    if (!await isFile(path)) continue;
    const { mean, diagonal_dominance } = await read(path, EffectsRecord);
    if (!mean.own || !mean.others) continue;
    effects.push({
      name,
      languages: diagonal_dominance.of,
      own: mean.own,
      others: mean.others,
      controlOwn: mean.control_own ?? undefined,
      controlOthers: mean.control_others ?? undefined,
      dominated: diagonal_dominance.largest,
      matrix: await changeMatrix(join(folder, name, "change_matrix.parquet")),
    });
  }
  return effects;
}

async function changeMatrix(path: string): Promise<ChangeMatrix> {
  const columns = ["intervened", "impacted", "control", "corpus_ratio"];
  const table = await readTable(path, columns);
  const cells = table.control.flatMap((control, i) =>
    Number(control) > 0 ? [] : [{
      intervened: String(table.intervened[i]),
      impacted: String(table.impacted[i]),
      change: Math.log(Number(table.corpus_ratio[i])),
    }]
  );
  const intervened = [...new Set(cells.map((cell) => cell.intervened))];
  const impacted = [...new Set(cells.map((cell) => cell.impacted))];
  return {
    intervened,
    impacted,
    changes: intervened.map((row) =>
      impacted.map((column) =>
        cells.find((cell) => cell.intervened === row && cell.impacted === column)?.change ?? NaN
      )
    ),
  };
}

async function steered(path: string, judge: IdentifierName): Promise<SteeredTexts[]> {
  if (!await isFile(path)) return [];
  const table = await readTable(path, ["language", "multiplier", "control", "text"]);
  const identify = await openIdentifier(judge);
  const texts = table.text.map((text, i) => ({
    language: String(table.language[i] ?? ""),
    multiplier: Number(table.multiplier[i]),
    control: Number(table.control[i]),
    text: String(text),
    judged: identify(String(text)).at(0)?.language,
  }));
  const plain = texts.filter(({ language }) => language === "");
  const kinds = new Map(
    texts.filter(({ language }) => language !== "")
      .map(({ language, multiplier }) => [`${language} ${multiplier}`, { language, multiplier }]),
  );
  return [...kinds.values()].map(({ language, multiplier }) => {
    const among = texts.filter((text) =>
      text.language === language && text.multiplier === multiplier
    );
    const own = among.filter(({ control }) => control === 0);
    const controls = among.filter(({ control }) => control > 0);
    const inIt = (list: typeof texts) => list.filter(({ judged }) => judged === language).length;
    return {
      language,
      multiplier,
      hits: inIt(own),
      texts: own.length,
      controlHits: inIt(controls),
      controlTexts: controls.length,
      plainHits: inIt(plain),
      plainTexts: plain.length,
      sample: own[0]?.text ?? "",
    };
  });
}

async function read<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
  const parsed = schema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  const [{ path: place, message }] = parsed.error.issues;
  throw new InputError(
    `${path}: ${place.join(".") || "the file"}: ${message}; run the step that writes it again.`,
  );
}

/** Names of the folders in a folder, and in those in it, as paths below it; none if it is not there. */
async function foldersIn(folder: string): Promise<string[]> {
  if (!await isFolder(folder)) return [];
  const found: string[] = [];
  for (const name of await listFolder(folder)) {
    if (!await isFolder(join(folder, name))) continue;
    found.push(name, ...(await foldersIn(join(folder, name))).map((inner) => `${name}/${inner}`));
  }
  return found;
}
