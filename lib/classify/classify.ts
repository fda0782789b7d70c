/** classify: what language texts are in, by features and by language identifiers (spec section 9). */
import { join, resolve } from "node:path";
import { remark } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { Checkpoint } from "../data/checkpoint.ts";
import type { Corpus } from "../data/corpora.ts";
import { describeSpec, UDHR } from "../data/dataset_configs.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { codeHash, timesSince, versions, writeManifest } from "../data/manifest.ts";
import { writeTable } from "../data/tables.ts";
import {
  corpusProvenance,
  openCorpora,
  openSession,
  profileTable,
  runModel,
  type Session,
  sessionProvenance,
} from "../session/session.ts";
import { checkLengths, tokenised, type TokenisedText } from "../session/tokenised.ts";
import { comparisonColumns, type TextRange, writeEvaluation } from "./classification_files.ts";
import {
  type ClassifierName,
  countsFeatures,
  type ModelClassifierName,
  needsModel,
} from "./classifiers.ts";
import {
  type ClassifierScores,
  evaluate,
  type Evaluation,
  type LabelledText,
} from "./evaluation.ts";
import { identifierScores, openIdentifier } from "./identifiers.ts";
import { iso3Of } from "./language_codes.ts";
import { type ModelScores, modelScores } from "./model_scores.ts";
import {
  ALL_NEURONS,
  looksAtSaes,
  type OpenClassifiers,
  openClassifiers,
} from "./open_classifiers.ts";
import type { ClassifyOptions } from "./options.ts";
import { normalised } from "./scores.ts";

/** Code that decides scores. */
export const SCORING_ROOMS = [
  "kernels",
  "lib/gpu",
  "lib/nn",
  "lib/sae",
  "lib/interpret",
  "lib/classify",
  "lib/subject",
  "lib/formats",
  "lib/data",
];

/** The classifier that the published program runs when none is named. */
const PUBLISHED: readonly ClassifierName[] = ["sae-min-max"];

/** Scores of an interrupted run. */
const PARTIAL = "scores.partial.jsonl";

/** What was found, and where it was written. */
export interface Classification {
  /** In the order asked for. */
  readonly evaluations: readonly Evaluation[];
  readonly folder: string;
  /** GPU time per kernel (`--profile`), where there is any. */
  readonly profile?: string;
}

/**
 * Does what the options of `classify` say. Only classifiers by features or DiffMean open the model.
 *
 * @throws InputError for options, texts or files that cannot be used
 */
export async function classify(options: ClassifyOptions): Promise<Classification> {
  const started = new Date();
  const folder = resolve(join(options.outDir, "classification"));
  using _claim = await claimFolder(folder);
  const corpora = byLanguage(await openCorpora(options, options));
  const texts = corpora.flatMap(labelledTexts);
  const code = await codeHash(SCORING_ROOMS);
  const names = [...new Set(options.classifierType ?? PUBLISHED)];
  const model = await scoresByModel(names.filter(needsModel), corpora, options, folder, code);
  const languages = model.languages ?? [...new Set(texts.map(({ language }) => language))].sort();
  tellUnknown(texts, languages);
  const scored: ClassifierScores[] = [];
  for (const name of names) {
    if (needsModel(name)) scored.push(...model.scores.filter((scores) => scores.of === name));
    else scored.push({ name, languages, scores: await scoresByIdentifier(name, texts, languages) });
  }
  const resampling = { replicates: options.bootstrap, seed: options.seed };
  const evaluations = scored.map((scores) => evaluate(scores, texts, iso3Of, resampling));

  const manifest = {
    step: "classify",
    options,
    ...model.provenance,
    corpora: corpusProvenance(corpora),
    code: { sha256: code },
    versions: versions(),
    ...timesSince(started),
  };
  const ranges = languageRanges(corpora);
  for (const evaluation of evaluations) {
    const own = join(folder, evaluation.name);
    const scaled = options.compat === "paper" && evaluation.name.startsWith("sae-");
    await writeEvaluation(own, evaluation, texts, ranges, { scaled });
    await writeManifest(join(own, "run.json"), manifest);
  }
  await writeTable(join(folder, "comparison"), comparisonColumns(evaluations));
  await writeManifest(join(folder, "run.json"), manifest);
  await model.finished();
  return { evaluations, folder, profile: model.profile };
}

/** Corpora in the order given, but those of one language together. */
function byLanguage(corpora: readonly Corpus[]): Corpus[] {
  const names = [...new Set(corpora.map(({ language }) => language.name))];
  return names.flatMap((name) => corpora.filter(({ language }) => language.name === name));
}

/** A document is an article of `udhr`, whatever its language; elsewhere each row is one of its own. */
function labelledTexts({ spec, language, texts, rows, documents }: Corpus): LabelledText[] {
  return texts.map((text, i) => ({
    text,
    language: language.name,
    document: spec.name === UDHR
      ? `${UDHR}:${documents[i]}`
      : JSON.stringify([spec.name, spec.config ?? spec.lang, spec.split, rows[i]]),
  }));
}

function languageRanges(corpora: readonly Corpus[]): TextRange[] {
  const ranges: TextRange[] = [];
  const names = [...new Set(corpora.map(({ language }) => language.name))];
  for (const name of names) {
    const own = corpora.filter(({ language }) => language.name === name);
    const start = ranges.at(-1)?.end ?? 0;
    const end = own.reduce((sum, { texts }) => sum + texts.length, start);
    ranges.push({ lang: own[0].language.code, start, end });
  }
  return ranges;
}

function tellUnknown(texts: readonly LabelledText[], languages: readonly string[]): void {
  const unknown = new Set(
    texts.map(({ language }) => language).filter((l) => !languages.includes(l)),
  );
  if (unknown.size === 0) return;
  remark(
    `No features are known of ${
      [...unknown].join(", ")
    }: such texts are taken for other languages.`,
  );
}

async function scoresByIdentifier(
  name: Exclude<ClassifierName, ModelClassifierName>,
  texts: readonly LabelledText[],
  languages: readonly string[],
): Promise<number[][]> {
  const identify = await openIdentifier(name);
  return texts.map(({ text }) => identifierScores(identify(text), languages));
}

/** Scores, and the classifier that they are of. */
interface NamedScores extends ClassifierScores {
  readonly of: ModelClassifierName;
}

/** What the model makes of all texts. */
interface ScoresByModel {
  readonly scores: readonly NamedScores[];
  /** Of the features; undefined when no model was asked. */
  readonly languages?: readonly string[];
  /** For run.json. */
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly profile?: string;
  /** To be called when the results are written. */
  finished(): Promise<void>;
}

async function scoresByModel(
  names: readonly ModelClassifierName[],
  corpora: readonly Corpus[],
  options: ClassifyOptions,
  folder: string,
  code: string,
): Promise<ScoresByModel> {
  if (names.length === 0) return { scores: [], provenance: {}, finished: () => Promise.resolve() };
  using session = await openSession(options, looksAtSaes(names) ? undefined : ALL_NEURONS);
  const classifiers = await openClassifiers(names, session.subject, options);
  const { gpu, adapter } = await session.openGpu();
  using checkpoint = await Checkpoint.open<ModelScores>(join(folder, PARTIAL), {
    code,
    adapter,
    names,
    files: classifiers.files.map(({ sha256 }) => sha256),
    hashes: session.subject.hashes,
    hookpoints: session.subject.targets.map(({ hookpoint }) => hookpoint.name),
    compat: options.compat,
    excludeBos: options.excludeBos ?? false,
  });
  const parts = await scoreCorpora(session, classifiers, corpora, options, checkpoint);
  const raw = names.map((name): NamedScores => ({
    of: name,
    name,
    languages: languagesOf(classifiers, name),
    scores: parts.flatMap((part) => part[name]!),
  }));
  return {
    scores: raw.flatMap((scores) =>
      options.normalize && countsFeatures(scores.of)
        ? [scores, perFeature(scores, classifiers)]
        : [scores]
    ),
    languages: raw[0].languages,
    provenance: { ...sessionProvenance(session), adapter, features: classifiers.files },
    profile: profileTable(gpu),
    finished: () => Deno.remove(join(folder, PARTIAL)),
  };
}

function languagesOf(classifiers: OpenClassifiers, name: ModelClassifierName): readonly string[] {
  const { latents, neurons, diffmean } = classifiers;
  return (name === "diffmean" ? diffmean : name === "neuron-count" ? neurons : latents)!.languages;
}

function perFeature(scores: NamedScores, { latents, neurons }: OpenClassifiers): NamedScores {
  const { features } = (scores.of === "neuron-count" ? neurons : latents)!;
  return {
    ...scores,
    name: `${scores.of}-normalized`,
    scores: scores.scores.map((text) => normalised(text, features)),
  };
}

/** Scores of each corpus's texts; those of an earlier, interrupted run are taken as they are. */
async function scoreCorpora(
  session: Session,
  classifiers: OpenClassifiers,
  corpora: readonly Corpus[],
  options: ClassifyOptions,
  checkpoint: Checkpoint<ModelScores>,
): Promise<ModelScores[]> {
  using model = await runModel(session, options);
  const jobs = corpora.map((corpus) => ({
    key: `${describeSpec(corpus.spec)} ${corpus.sha256}`,
    language: corpus.language.name,
    texts: checked(tokenised(session.subject, corpus), corpus, model.limits.tokens),
  }));
  const sizes = jobs.map(({ texts }) => tokensOf(texts));
  const tokens = Math.min(model.limits.tokens, Math.max(...sizes));
  const reader = { ...model, limits: { ...model.limits, tokens } };
  const { latents, neurons, diffmean } = classifiers;
  const passes = (latents || neurons ? 1 : 0) + (diffmean ? 1 : 0);
  const total = passes * sizes.reduce((sum, size) => sum + size, 0);
  const shown = progress({ label: "classifying", total, unit: "tokens" });
  let done = 0;
  const parts: ModelScores[] = [];
  try {
    for (const [i, { key, language, texts }] of jobs.entries()) {
      const end = done + passes * sizes[i];
      const part = checkpoint.get(key) ?? await modelScores(reader, classifiers, texts, {
        zeros: options.compat === "paper",
        excluded: options.excludeBos ? session.subject.tokenizer.bosId : undefined,
        progressed: (tokens) => shown.update(done += tokens, language),
      });
      if (!checkpoint.get(key)) await checkpoint.put(key, part);
      parts.push(part);
      shown.update(done = end, language);
    }
  } finally {
    shown.done();
  }
  return parts;
}

function checked(texts: TokenisedText[], corpus: Corpus, most: number): TokenisedText[] {
  checkLengths(corpus, texts, most);
  return texts;
}

function tokensOf(texts: readonly TokenisedText[]): number {
  return texts.reduce((sum, { ids }) => sum + ids.length, 0);
}
