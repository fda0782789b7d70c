/** statistics: how strongly each unit fires, and where (stage 2a, spec section 3). */
import { join } from "node:path";
import { type Progress, progress } from "../cli/progress.ts";
import type { Corpus } from "../data/corpora.ts";
import { codeHash } from "../data/manifest.ts";
import { readActivations, type SparseActivations } from "../interpret/activations.ts";
import type { Target } from "../sae/target.ts";
import type { RunOptions } from "../session/options.ts";
import { runModel, type RunningModel, type Session } from "../session/session.ts";
import { checkLengths, tokenised, type TokenisedText } from "../session/tokenised.ts";
import type { Subject } from "../subject/subject.ts";
import { type OccurrencesByUnit, occurrencesByUnit } from "./by_unit.ts";
import { byDatasetAndLanguage, type DatasetLanguage } from "./dataset_folders.ts";
import { hashesAt, READING_ROOMS } from "./origin.ts";
import {
  occurrencesPath,
  readRecord,
  removeRecord,
  type StatisticsRecord,
  summaryPath,
  writeOccurrences,
  writePaperOccurrences,
  writeRecord,
  writeSummary,
} from "./statistics_files.ts";
import { summariseUnits } from "./summary.ts";

/** Code that decides statistics. */
const STATISTICS_ROOMS = [...READING_ROOMS, "lib/stats", "lib/statistics"];

export interface StatisticsOptions extends RunOptions {
  /** Whether the list of occurrences is written as well. */
  readonly occurrences: boolean;
}

/** The statistics of one data set and language. */
export interface StatisticsResult extends DatasetLanguage {
  readonly examples: number;
  readonly tokens: number;
  /** Occurrences at all hookpoints together. */
  readonly occurrences: number;
  /** Those that its hookpoints were read on; usually one. */
  readonly adapters: readonly string[];
  /** Hookpoints whose statistics were there. */
  readonly reused: number;
}

/** All of them, and the code that made them. */
export interface Statistics {
  /** In the order the data sets were given. */
  readonly results: readonly StatisticsResult[];
  /** SHA-256 of the code. */
  readonly code: string;
}

/**
 * Makes the statistics that are not there yet, a data set and language at a time: stopping at any
 * moment loses no more than the one under way. They are exact: all occurrences of one data set and
 * language are held on the host, 8 bytes each (and 12 more each of one hookpoint while it is sorted).
 *
 * What occurs is what is > 0; under `compat: "paper"` every slot of a TopK, its zeros included (Q3).
 *
 * @param folder claimed; gets `<data set>/` with the files
 * @throws InputError for texts or SAEs that cannot be used
 */
export async function statistics(
  session: Session,
  corpora: readonly Corpus[],
  folder: string,
  options: StatisticsOptions,
): Promise<Statistics> {
  const { subject } = session;
  const code = await codeHash(STATISTICS_ROOMS);
  const jobs: Job[] = [];
  for (const own of byDatasetAndLanguage(corpora)) {
    const identities = subject.targets
      .map((target) => identityOf(subject, target, own, code, options));
    const records = await Promise.all(
      subject.targets.map(({ hookpoint: { name } }, i) =>
        readRecord(join(folder, own.dataset), name, own.lang, identities[i])
      ),
    );
    jobs.push({ ...own, identities, records });
  }
  const reused = jobs.map(({ records }) => records.filter((record) => record).length);
  await makeRecords(session, jobs.filter(isOpen), folder, options);
  const results = jobs.map(({ dataset, lang, corpora, records }, i) => {
    const made = records.flatMap((record) => record ?? []);
    return {
      dataset,
      lang,
      corpora,
      examples: made[0].examples,
      tokens: made[0].tokens,
      occurrences: made.reduce((sum, { occurrences }) => sum + occurrences, 0),
      adapters: [...new Set(made.map(({ adapter }) => adapter))],
      reused: reused[i],
    };
  });
  return { results, code };
}

/** The statistics to make of one data set and language; both lists in the order of the targets. */
interface Job extends DatasetLanguage {
  readonly identities: readonly string[];
  /** Those that are there; the others are filled in when they are made. */
  readonly records: (StatisticsRecord | undefined)[];
}

function isOpen({ records }: Job): boolean {
  return records.some((record) => !record);
}

function identityOf(
  subject: Subject,
  { hookpoint }: Target,
  { corpora }: DatasetLanguage,
  code: string,
  { compat, occurrences }: StatisticsOptions,
): string {
  return JSON.stringify({
    ...hashesAt(subject, hookpoint),
    corpus: corpora.map(({ sha256 }) => sha256),
    code,
    compat: compat ?? null,
    occurrences,
  });
}

/** A job's texts, part by part. */
interface TokenisedJob {
  readonly job: Job;
  readonly parts: readonly (readonly TokenisedText[])[];
  readonly tokens: number;
}

function tokenise(subject: Subject, job: Job): TokenisedJob {
  const parts = job.corpora.map((corpus) => tokenised(subject, corpus));
  return { job, parts, tokens: parts.flat().reduce((sum, { ids }) => sum + ids.length, 0) };
}

async function makeRecords(
  session: Session,
  jobs: readonly Job[],
  folder: string,
  options: StatisticsOptions,
): Promise<void> {
  if (jobs.length === 0) return;
  const work = jobs.map((job) => tokenise(session.subject, job));
  using model = await runModel(session, options);
  for (const { job, parts } of work) {
    job.corpora.forEach((corpus, i) => checkLengths(corpus, parts[i], model.limits.tokens));
  }
  const total = work.reduce((sum, { tokens }) => sum + tokens, 0);
  const shown = progress({ label: "statistics", total, unit: "tokens" });
  const run = { session, model, options, folder, shown };
  let done = 0;
  try {
    for (const each of work) {
      await makeRecordsOf(run, each, done);
      done += each.tokens;
    }
  } finally {
    shown.done();
  }
}

interface StatisticsRun {
  readonly session: Session;
  readonly model: RunningModel;
  readonly options: StatisticsOptions;
  readonly folder: string;
  readonly shown: Progress;
}

/**
 * Reads a job's texts and writes what is missing of it.
 *
 * @param done tokens of the work before
 */
async function makeRecordsOf(
  { session: { subject }, model, options, folder, shown }: StatisticsRun,
  { job, parts, tokens }: TokenisedJob,
  done: number,
): Promise<void> {
  const paper = options.compat === "paper";
  const texts = parts.flat();
  const open = [...subject.targets.keys()].filter((target) => !job.records[target]);
  const targets = open.map((target) => subject.targets[target]);
  const activations: SparseActivations[][] = open.map(() => []);
  let read = done;
  for await (const own of readActivations(model, targets, texts, { zeros: paper })) {
    own.targets.forEach((sparse, i) => activations[i].push(sparse));
    shown.update(read += texts[own.text].ids.length, job.lang);
  }
  // The original numbers the rows of all files of a language through.
  const rows = Uint32Array.from(texts, ({ row }, i) => paper ? i : row);
  for (const [i, target] of open.entries()) {
    const { hookpoint, sae } = targets[i];
    const found = occurrencesByUnit(activations[i], sae?.latents ?? subject.config.mlpSize);
    activations[i] = [];
    const place = { folder: join(folder, job.dataset), lang: job.lang, hookpoint: hookpoint.name };
    await removeRecord(place.folder, place.hookpoint, place.lang);
    const record = {
      identity: job.identities[target],
      examples: texts.length,
      tokens,
      occurrences: found.values.length,
      adapter: model.adapter,
      files: await writeFiles(place, found, rows, options),
    };
    await writeRecord(place.folder, place.hookpoint, place.lang, record);
    job.records[target] = record;
  }
}

/** What statistics are of. */
interface Place {
  /** Of the data set. */
  readonly folder: string;
  readonly lang: string;
  readonly hookpoint: string;
}

/** @returns the files */
async function writeFiles(
  { folder, lang, hookpoint }: Place,
  found: OccurrencesByUnit,
  rows: Uint32Array,
  { compat, occurrences }: StatisticsOptions,
): Promise<string[]> {
  const paper = compat === "paper";
  const summary = summaryPath(folder, hookpoint, lang);
  await writeSummary(summary, summariseUnits(found), { lang, hookpoint, paper });
  const files = [`${summary}.csv`, `${summary}.parquet`];
  if (!occurrences) return files;
  const list = `${occurrencesPath(folder, hookpoint, lang)}.${paper ? "csv" : "parquet"}`;
  await (paper ? writePaperOccurrences : writeOccurrences)(list, found, rows);
  return [...files, list];
}
