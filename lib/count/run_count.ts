/**
 * Texts → counts, the whole of it: reuses counts that are there, resumes interrupted ones, and keeps
 * a checkpoint while it works. Stopping at any moment loses at most the work since the last checkpoint.
 */
import { rm } from "node:fs/promises";
import type { Corpus } from "../data/corpora.ts";
import type { Counts } from "../formats/counts.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { WeightStore } from "../gpu/weight_store.ts";
import { mergeCounts, roundedCounts } from "../lape/counts.ts";
import { type BatchLimits, groupTexts } from "../nn/batch.ts";
import type { GuardReport } from "../sae/guard.ts";
import type { OpenGpu } from "../session/session.ts";
import { openLlama } from "../subject/open_llama.ts";
import {
  countsPath,
  partialPath,
  readCountsOf,
  type StoredCounts,
  writeCounts,
} from "./count_files.ts";
import { Counter } from "./counter.ts";
import { type GuardedRun, guardSaes } from "./guard_saes.ts";
import {
  checkJob,
  type CountTask,
  type Job,
  jobsOf,
  tokenise,
  type TokenisedJob,
  tokensIn,
} from "./jobs.ts";

export interface CountRun extends CountTask, GuardedRun {
  /** Folder of the counts. */
  readonly folder: string;
  /** Most tokens and texts of one batch. */
  readonly limits: BatchLimits;
  /** Seconds between checkpoints. */
  readonly checkpointSeconds: number;
  /** Opens the GPU; only called when there is something to count. */
  openGpu(): Promise<OpenGpu>;
  /** Told how many tokens there are to count, all languages together; 0 when all counts are there. */
  started(tokens: number): void;
  /** Told how many of them are done, resumed ones included. */
  progressed(tokens: number, language: string): void;
}

/** One counts file, made or reused. The counts themselves stay in it: all together are large. */
export interface CountResult {
  readonly dataset: string;
  readonly corpora: readonly Corpus[];
  /** The file. */
  readonly path: string;
  readonly examples: number;
  readonly tokens: number;
  /** Latents or neurons that fired at least once. */
  readonly unitsFired: number;
  readonly adapter: string;
  readonly reused: boolean;
  /** Examples that an earlier, interrupted run had counted. */
  readonly resumedExamples: number;
}

/** All counts files of a run. */
export interface CountResults {
  /** In the order the data sets were given. */
  readonly results: CountResult[];
  /** What the guard said of the SAEs; empty when nothing was counted. */
  readonly guarded: GuardReport[];
}

/**
 * Counts all data sets, or finds their counts.
 *
 * @throws InputError for texts, SAEs or files that cannot be used, or while another run works in the
 *   folder; GpuError for what does not fit
 */
export async function runCount(run: CountRun): Promise<CountResults> {
  using _claim = await claimFolder(run.folder);
  const jobs = jobsOf(run);
  const found: (CountResult | undefined)[] = [];
  for (const job of jobs) found.push(await findCounts(run, job));
  const open = jobs.filter((_, i) => !found[i]);
  if (open.length === 0) run.started(0);
  const { counted, guarded } = open.length === 0
    ? { counted: new Map<Job, CountResult>(), guarded: [] }
    : await countJobs(run, open);
  const results = jobs.map((job, i) => found[i] ?? counted.get(job)!);
  const adapters = [...new Set(results.map(({ adapter }) => adapter))];
  if (adapters.length > 1) {
    run.warn(
      `These counts were made on different adapters (${
        adapters.join(" / ")
      }): ties may have fallen ` +
        `differently.`,
    );
  }
  return { results, guarded };
}

async function findCounts({ folder }: CountRun, job: Job): Promise<CountResult | undefined> {
  const path = countsPath(folder, job.dataset, job.lang);
  const stored = await readCountsOf(path, job.identity);
  return stored && {
    ...describeCounts(job, path, stored.counts),
    adapter: stored.adapter,
    reused: true,
    resumedExamples: 0,
  };
}

function describeCounts({ dataset, corpora }: Job, path: string, counts: Counts) {
  const { examples, tokens, firedTokens } = counts;
  const unitsFired = firedTokens.reduce((sum, fired) => sum + Math.min(fired, 1), 0);
  return { dataset, corpora, path, examples, tokens, unitsFired };
}

interface CountedJobs {
  readonly counted: Map<Job, CountResult>;
  readonly guarded: GuardReport[];
}

async function countJobs(run: CountRun, jobs: readonly Job[]): Promise<CountedJobs> {
  const tokenised = jobs.map((job) => tokenise(run, job));
  const total = tokenised.reduce((sum, { tokens }) => sum + tokens, 0);
  const { gpu, adapter, longLoops } = await run.openGpu();
  using store = new WeightStore(gpu);
  using llama = openLlama(gpu, run.subject, store);
  const longest = tokenised.reduce((most, { tokens }) => Math.max(most, tokens), 0);
  const most = Math.min(run.limits.tokens, llama.mostTokens, longLoops ? Infinity : 65_000);
  for (const item of tokenised) checkJob(item, most);
  const tokens = Math.min(most, longest);
  const examples = Math.min(
    run.limits.examples,
    Math.max(...tokenised.map(({ texts }) => texts.length)),
  );
  using counter = new Counter(gpu, llama, store, run.subject.targets, {
    tokens,
    examples,
    countZeros: run.compat === "paper",
    groups: Math.max(...tokenised.map(({ groupLabels }) => groupLabels.length)),
    excluded: excludedToken(run),
  });
  const guarded = await guardSaes(run, gpu, llama, store, tokenised);
  run.started(total);
  const results = new Map<Job, CountResult>();
  let done = 0;
  for (const item of tokenised) {
    const language = item.job.corpora[0].language.name;
    const before = done;
    const progressed = (jobTokens: number) => {
      done = before + jobTokens;
      run.progressed(done, language);
    };
    results.set(item.job, await countJob(run, counter, item, adapter, progressed));
  }
  return { counted: results, guarded };
}

function excludedToken({ excludeBos, subject, warn }: CountRun): number | undefined {
  const { bosId } = subject.tokenizer;
  if (excludeBos && bosId === undefined) {
    warn(`The tokenizer of ${subject.modelName} names no BOS: --exclude-bos leaves nothing out.`);
  }
  return excludeBos ? bosId : undefined;
}

async function countJob(
  { folder, checkpointSeconds, compat, warn }: CountRun,
  counter: Counter,
  { job, texts, groupLabels }: TokenisedJob,
  adapter: string,
  progressed: (tokens: number) => void,
): Promise<CountResult> {
  const partial = partialPath(folder, job.dataset, job.lang);
  const stored = await readCountsOf(partial, job.identity);
  if (stored && stored.adapter !== adapter) {
    warn(
      `${job.dataset}:${job.lang} was begun on ${stored.adapter} and is resumed on ${adapter}: ties may have ` +
        `fallen differently.`,
    );
  }
  const resumedExamples = stored?.counts.examples ?? 0;
  let counts: Counts | undefined = stored?.counts;
  let tokens = tokensIn(texts.slice(0, resumedExamples));
  const keep = async (path: string, finish = (whole: Counts) => whole) => {
    const more = await counter.take(groupLabels);
    counts = counts ? mergeCounts(counts, more) : more;
    const kept: StoredCounts = { counts: finish(counts), identity: job.identity, adapter };
    await writeCounts(path, kept);
    return kept.counts;
  };
  let checkpoint = Date.now();
  progressed(tokens);
  for (const group of groupTexts(texts.slice(resumedExamples), counter.options)) {
    const size = tokensIn(group);
    const before = tokens;
    await counter.add(
      group.map(({ ids }) => ids),
      group.map(({ group }) => group),
      (share) => progressed(before + Math.floor(share * size)),
    );
    tokens += size;
    progressed(tokens);
    if (Date.now() - checkpoint >= checkpointSeconds * 1000) {
      await keep(partial);
      checkpoint = Date.now();
    }
  }
  const rounded = compat === "paper" ? roundedCounts : undefined;
  const path = countsPath(folder, job.dataset, job.lang);
  const whole = await keep(path, rounded);
  await rm(partial, { force: true });
  return {
    ...describeCounts(job, path, whole),
    adapter,
    reused: false,
    resumedExamples,
  };
}
