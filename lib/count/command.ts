/** The command line of counting: options that `count` and `identify` share, and what they mean. */
import { resolve } from "node:path";
import { cachedBytes } from "../cli/cache.ts";
import { remark } from "../cli/output.ts";
import { type Progress, progress } from "../cli/progress.ts";
import type { step } from "../cli/step.ts";
import { integer, number } from "../cli/values.ts";
import type { Corpus } from "../data/corpora.ts";
import { describeSpec } from "../data/dataset_configs.ts";
import { codeHash } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import type { GuardReport } from "../sae/guard.ts";
import { withModelOptions, withRunOptions, withTextOptions } from "../session/options.ts";
import { openCorpora, openSession, type Session, sessionProvenance } from "../session/session.ts";
import type { Subject, UnitKind } from "../subject/subject.ts";
import { type CountResult, runCount } from "./run_count.ts";

/** Code that decides counts. */
const COUNTING_ROOMS = [
  "kernels",
  "lib/gpu",
  "lib/nn",
  "lib/sae",
  "lib/lape",
  "lib/subject",
  "lib/count",
  "lib/formats",
  "lib/data",
];

/**
 * Adds the options of counting to a step's command.
 *
 * @param hookpoints what the help calls the default of `--layer`
 */
export function withCountOptions(command: ReturnType<typeof step>, hookpoints?: string) {
  return withRunOptions(withTextOptions(withModelOptions(command, hookpoints)))
    .option(
      "--document-groups <n>",
      "keep counts apart by this many groups of documents, for intervals: articles of udhr, rows " +
        "elsewhere; takes n × units × 4 bytes of GPU memory per layer; 0 for none",
      integer({ min: 0, max: 65536 }),
      32,
    )
    .option(
      "--exclude-bos",
      "leave BOS out of all counts: latents that fire on it fire in every text",
    )
    .option("--no-guard", "count even SAEs that do not fit their hookpoints")
    .option("--checkpoint-every <seconds>", "time between checkpoints", number({ min: 0 }), 10);
}

/** What the options of counting are parsed to. */
export type CountOptions = ReturnType<ReturnType<typeof withCountOptions>["opts"]>;

/** Counts and what they were made from. */
export interface Counted extends Session {
  readonly corpora: readonly Corpus[];
  readonly results: readonly CountResult[];
  /** SHA-256 of the code that counted. */
  readonly code: string;
  /** Folder of the counts. */
  readonly folder: string;
  /** What the guard said of the SAEs; empty where nothing was counted, or without a guard. */
  readonly guarded: readonly GuardReport[];
}

/** Folder of the counts of latents and neurons in the output folder. */
export const COUNT_FOLDERS = { latents: "counts", neurons: "neuron_counts" } as const;

/**
 * Does what the options of counting say.
 *
 * @param outPath folder of the counts within `--out-dir`; after the kind of units if not given
 * @param hookpoints used when `--layer` is not given
 * @param wanted the only kind of units that may be counted, where not both
 * @throws InputError for options, a model, SAEs or texts that cannot be used
 */
export async function count(
  options: CountOptions,
  outPath?: string,
  hookpoints?: readonly string[],
  wanted?: UnitKind,
): Promise<Counted> {
  const corpora = await openCorpora(options, options);
  using undo = new DisposableStack();
  const session = undo.use(await openSession(options, hookpoints));
  checkKind(session.subject, wanted);
  const code = await codeHash(COUNTING_ROOMS);
  const folder = resolve(options.outDir, outPath ?? COUNT_FOLDERS[session.subject.kind]);
  let shown: Progress | undefined;
  const { results, guarded } = await runCount({
    subject: session.subject,
    corpora,
    folder,
    code,
    compat: options.compat,
    documentGroups: options.documentGroups,
    excludeBos: options.excludeBos ?? false,
    limits: { tokens: options.blockTokens, examples: options.batchSize },
    checkpointSeconds: options.checkpointEvery,
    guardStore: options.guard ? cachedBytes() : undefined,
    openGpu: session.openGpu,
    started(total) {
      if (total > 0) shown = progress({ label: "counting", total, unit: "tokens" });
    },
    progressed: (tokens, language) => shown?.update(tokens, language),
    warn: remark,
  }).finally(() => shown?.done());
  undo.move();
  return { ...session, corpora, results, code, folder, guarded };
}

function checkKind({ kind, targets }: Subject, wanted: UnitKind | undefined): void {
  if (wanted === undefined || kind === wanted) return;
  const [{ hookpoint }] = targets;
  throw new InputError(
    `${hookpoint.name} is where ${kind} are counted, expected hookpoints of ${wanted} in --layer: ` +
      (wanted === "neurons"
        ? `name layers.N.mlp.act_fn, or run "babelscope count".`
        : `name layers.N.mlp or layers.N, or run "babelscope count-neurons".`),
  );
}

/** What run.json says of counting. */
export function countProvenance(counted: Counted) {
  const { results, guarded, code } = counted;
  return {
    ...sessionProvenance(counted),
    corpora: results.map(({ corpora, examples, tokens, adapter, reused, resumedExamples }) => ({
      data_sets: corpora.map(({ spec }) => describeSpec(spec)),
      sources: corpora.map(({ source }) => source),
      sha256: corpora.map(({ sha256 }) => sha256),
      language: corpora[0].language.name,
      examples,
      tokens,
      adapter,
      reused,
      resumed_examples: resumedExamples,
    })),
    guard: guarded.map(guardProvenance),
    code: { sha256: code },
  };
}

function guardProvenance({ hookpoint, verdict, fidelity }: GuardReport) {
  return {
    hookpoint,
    verdict,
    ...(fidelity && {
      tokens: fidelity.tokens,
      l0: fidelity.activeLatents,
      fvu: fidelity.unexplained,
      activation_norm: fidelity.activationNorm,
      reconstruction_norm: fidelity.reconstructionNorm,
      cosine: fidelity.cosine,
    }),
  };
}
