/** statistics: how strongly each unit fires, and where (stage 2a, spec section 3). */
import { join } from "node:path";
import { type Progress, progress } from "../cli/progress.ts";
import type { Corpus } from "../data/corpora.ts";
import { codeHash } from "../data/manifest.ts";
import { readActivations, type SparseActivations } from "../interpret/activations.ts";
import type { RunOptions } from "../session/options.ts";
import { runModel, type RunningModel, type Session } from "../session/session.ts";
import { checkLengths, tokenised, type TokenisedText } from "../session/tokenised.ts";
import type { Subject } from "../subject/subject.ts";
import { occurrencesByUnit } from "./by_unit.ts";
import { READING_ROOMS } from "./code.ts";
import { byDatasetAndLanguage, type DatasetLanguage } from "./dataset_folders.ts";
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
export interface StatisticsResult extends Omit<StatisticsRecord, "identity"> {
  readonly dataset: string;
  readonly corpora: readonly Corpus[];
  readonly reused: boolean;
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
  const jobs = byDatasetAndLanguage(corpora)
    .map((job) => ({ ...job, identity: identityOf(subject, job, code, options) }));
  const records = await Promise.all(
    jobs.map((job) => readRecord(join(folder, job.dataset), job.lang, job.identity)),
  );
  const left = jobs.filter((_, i) => !records[i]);
  const made = await makeRecords(session, left, folder, options);
  const results = jobs.map((job, i) => {
    const { identity: _, ...record } = records[i] ?? made.get(job)!;
    return { ...record, dataset: job.dataset, corpora: job.corpora, reused: !!records[i] };
  });
  return { results, code };
}

/** The statistics to make of one data set and language. */
interface Job extends DatasetLanguage {
  readonly identity: string;
}

function identityOf(
  { hashes, targets }: Subject,
  { corpora }: DatasetLanguage,
  code: string,
  { compat, occurrences }: StatisticsOptions,
): string {
  return JSON.stringify({
    ...hashes,
    hookpoints: targets.map(({ hookpoint }) => hookpoint.name),
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
): Promise<Map<Job, StatisticsRecord>> {
  const made = new Map<Job, StatisticsRecord>();
  if (jobs.length === 0) return made;
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
      made.set(each.job, await makeRecord(run, each, done));
      done += each.tokens;
    }
  } finally {
    shown.done();
  }
  return made;
}

interface StatisticsRun {
  readonly session: Session;
  readonly model: RunningModel;
  readonly options: StatisticsOptions;
  readonly folder: string;
  readonly shown: Progress;
}

/** @param done tokens of the work before */
async function makeRecord(
  run: StatisticsRun,
  work: TokenisedJob,
  done: number,
): Promise<StatisticsRecord> {
  const { session: { subject }, model, options, shown } = run;
  const { job, tokens } = work;
  const texts = work.parts.flat();
  const paper = options.compat === "paper";
  const folder = join(run.folder, job.dataset);
  await removeRecord(folder, job.lang);

  const activations: SparseActivations[][] = subject.targets.map(() => []);
  let read = done;
  for await (const own of readActivations(model, subject.targets, texts, { zeros: paper })) {
    own.targets.forEach((sparse, i) => activations[i].push(sparse));
    shown.update(read += texts[own.text].ids.length, job.lang);
  }
  // The original numbers the rows of all files of a language through.
  const rows = Uint32Array.from(texts, ({ row }, i) => paper ? i : row);
  const files: string[] = [];
  let occurrences = 0;
  for (const [i, { hookpoint: { name } }] of subject.targets.entries()) {
    const found = occurrencesByUnit(activations[i], unitsAt(subject, i));
    occurrences += found.values.length;
    activations[i] = [];
    const summary = summaryPath(folder, name, job.lang);
    await writeSummary(summary, summariseUnits(found), { lang: job.lang, hookpoint: name, paper });
    files.push(`${summary}.csv`, `${summary}.parquet`);
    if (!options.occurrences) continue;
    const list = `${occurrencesPath(folder, name, job.lang)}.${paper ? "csv" : "parquet"}`;
    await (paper ? writePaperOccurrences : writeOccurrences)(list, found, rows);
    files.push(list);
  }
  const made = {
    identity: job.identity,
    examples: texts.length,
    tokens,
    occurrences,
    adapter: model.adapter,
    files,
  };
  await writeRecord(folder, job.lang, made);
  return made;
}

function unitsAt({ targets, config }: Subject, target: number): number {
  return targets[target].sae?.latents ?? config.mlpSize;
}
