/** similarity: how alike the features of each language fire on its own texts (spec section 12). */
import { join } from "node:path";
import { remark } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { Checkpoint } from "../data/checkpoint.ts";
import type { Corpus } from "../data/corpora.ts";
import { codeHash } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import type { IdentifiedFeatures } from "../identify/lape_result.ts";
import type { RunOptions } from "../session/options.ts";
import { runModel, type RunningModel, type Session } from "../session/session.ts";
import { checkLengths, tokenised, type TokenisedText } from "../session/tokenised.ts";
import { READING_ROOMS } from "../statistics/origin.ts";
import { folderOfDataset } from "../statistics/dataset_folders.ts";
import { type LanguageFeatures, locateFeatures } from "./located_features.ts";
import { findOccurrences } from "./occurrences.ts";
import { comparePair, type Occurrences, type PairSimilarity } from "./similarity.ts";

/** Code that decides similarities. */
const SIMILARITY_ROOMS = [...READING_ROOMS, "lib/analysis"];

/** The features of a language, and every two of them compared. */
export interface LanguageSimilarity extends LanguageFeatures {
  /** `pairs[a][b - a]` for features a ≤ b: a triangle with its diagonal. */
  readonly pairs: readonly (readonly PairSimilarity[])[];
}

/** All languages, and by which code. */
export interface Similarities {
  readonly languages: readonly LanguageSimilarity[];
  /** SHA-256 of the code. */
  readonly code: string;
  /** Undefined when an interrupted run had compared everything. */
  readonly adapter: string | undefined;
  /** To be removed once the results are written. */
  readonly checkpoint: Checkpoint<StoredPairs> & Disposable;
}

/** [both, either, pearson, null for NaN] of each pair, as `pairs` has them. */
type StoredPairs = readonly (readonly [number, number, number | null][])[];

/** A corpus as the model reads it. */
interface CorpusTexts {
  readonly corpus: Corpus;
  readonly texts: readonly TokenisedText[];
}

/** A language and its texts, data set by data set. */
interface LanguageWork {
  readonly own: LanguageFeatures;
  readonly datasets: readonly (readonly CorpusTexts[])[];
}

/**
 * Compares the features of every language that has texts; a language that an interrupted run has
 * compared is not compared again.
 *
 * All data sets take part; under `compat: "paper"` PAWS-X does not, as published (Q24).
 *
 * @param folder claimed; holds the checkpoint
 * @throws InputError when no language has both features and texts
 */
export async function similarities(
  session: Session,
  corpora: readonly Corpus[],
  identified: IdentifiedFeatures,
  folder: string,
  options: RunOptions,
): Promise<Similarities> {
  const { subject } = session;
  const code = await codeHash(SIMILARITY_ROOMS);
  const taken = corpora.filter((corpus) => options.compat !== "paper" || !isPawsX(corpus));
  const work = languagesOf(session, taken, identified);
  using undo = new DisposableStack();
  const checkpoint = undo.use(
    await Checkpoint.open<StoredPairs>(join(folder, "checkpoint.jsonl"), {
      ...subject.hashes,
      hookpoints: subject.targets.map(({ hookpoint }) => hookpoint.name),
      corpora: taken.map(({ spec, sha256 }) => [spec.name, spec.lang, sha256]),
      lape: identified.sha256,
      code,
    }),
  );
  const left = work.filter(({ own }) => !checkpoint.get(own.language));
  const adapter = left.length > 0
    ? await compareLanguages(session, left, options, checkpoint)
    : undefined;
  undo.move();
  const languages = work.map(({ own }) => ({
    ...own,
    pairs: checkpoint.get(own.language)!.map((row) => row.map(fromStored)),
  }));
  return { languages, code, adapter, checkpoint };
}

function isPawsX({ spec }: Corpus): boolean {
  return /(^|\/)paws-x(@|$)/i.test(spec.name);
}

function languagesOf(
  { subject }: Session,
  corpora: readonly Corpus[],
  identified: IdentifiedFeatures,
): LanguageWork[] {
  const languages = locateFeatures(identified, subject);
  const work = languages.flatMap((own) => {
    const byDataset = Map.groupBy(
      corpora.filter(({ language }) => language.name === own.language),
      folderOfDataset,
    );
    const datasets = [...byDataset.values()]
      .map((corpora) => corpora.map((corpus) => ({ corpus, texts: tokenised(subject, corpus) })));
    return datasets.length > 0 ? [{ own, datasets }] : [];
  });
  const without = languages.filter(({ language }) =>
    !work.some(({ own }) => own.language === language)
  ).map(({ language }) => language);
  if (work.length === 0) {
    throw new InputError(
      `${identified.path} has features of ${
        without.join(", ")
      }, but no text is in one of these: name ` +
        `texts with --dataset-configs.`,
    );
  }
  if (without.length > 0) remark(`Left out, having no texts: ${without.join(", ")}.`);
  return work;
}

/** @returns what results call the adapter */
async function compareLanguages(
  session: Session,
  work: readonly LanguageWork[],
  options: RunOptions,
  checkpoint: Checkpoint<StoredPairs>,
): Promise<string> {
  using model = await runModel(session, options);
  const corpora = work.flatMap(({ datasets }) => datasets.flat());
  for (const { corpus, texts } of corpora) checkLengths(corpus, texts, model.limits.tokens);
  const lengths = corpora.flatMap(({ texts }) => texts.map(({ ids }) => ids.length));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const shown = progress({ label: "comparing", total, unit: "tokens" });
  let done = 0;
  try {
    for (const { own, datasets } of work) {
      const read = (tokens: number) => shown.update(done += tokens, own.language);
      const found = await occurrencesByFeature(model, session, own, datasets, read);
      const pairs = found.map((a, i) => found.slice(i).map((b) => toStored(comparePair(a, b))));
      await checkpoint.put(own.language, pairs);
    }
  } finally {
    shown.done();
  }
  return model.adapter;
}

/** Per feature, one entry per data set. */
async function occurrencesByFeature(
  model: RunningModel,
  { subject }: Session,
  { features }: LanguageFeatures,
  datasets: LanguageWork["datasets"],
  read: (tokens: number) => void,
): Promise<Occurrences[][]> {
  const found: Occurrences[][] = features.map(() => []);
  for (const dataset of datasets) {
    const texts = dataset.flatMap(({ texts }) => texts);
    const here = await findOccurrences(model, subject.targets, features, texts, read);
    here.forEach((occurrences, i) => found[i].push(occurrences));
  }
  return found;
}

function toStored({ both, either, pearson }: PairSimilarity): StoredPairs[number][number] {
  return [both, either, Number.isNaN(pearson) ? null : pearson];
}

function fromStored([both, either, pearson]: StoredPairs[number][number]): PairSimilarity {
  return { both, either, iou: either > 0 ? both / either : 0, pearson: pearson ?? NaN };
}
