/** The command line of counting: options that `count` and `identify` share, and what they mean. */
import { join, resolve } from "node:path";
import { bringUpAdapter } from "../cli/adapter.ts";
import { cachedBytes, cacheFolder } from "../cli/cache.ts";
import { remark } from "../cli/output.ts";
import { watchHostMemory } from "../cli/host_memory.ts";
import { type Progress, progress } from "../cli/progress.ts";
import type { step } from "../cli/step.ts";
import { table } from "../cli/table.ts";
import { integer, number, oneOf, size } from "../cli/values.ts";
import { type Corpus, type CorpusOptions, loadCorpus, NORMAL_FORMS } from "../data/corpora.ts";
import { describeSpec, parseDatasetConfigs } from "../data/dataset_configs.ts";
import { LANGUAGES } from "../data/languages.ts";
import { codeHash, versions } from "../data/manifest.ts";
import { Gpu } from "../gpu/device.ts";
import { selfTest } from "../gpu/self_test.ts";
import type { GuardReport } from "../sae/guard.ts";
import { type CountResult, type OpenGpu, runCount } from "./run_count.ts";
import { userAccess } from "../subject/access.ts";
import { openSubject, type Subject } from "../subject/subject.ts";

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

/** All languages of the paper in the corpus that needs no files. */
const DEFAULT_DATASETS = [`udhr:{${LANGUAGES.map(({ code }) => code).join(",")}}`];

/** Adds the options of counting to a step's command. */
export function withCountOptions(command: ReturnType<typeof step>) {
  return command
    .option(
      "--model <name>",
      "a Llama: a folder in Hugging Face layout, a GGUF file, or owner/name(@revision) on the hub " +
        "(default: the embedded model)",
    )
    .option(
      "--sae-model <name...>",
      "SAEs of sparsify, SAELens, Gemma Scope or Llama Scope: folders, or owner/name(@revision) or " +
        "owner/name/folder on the hub; hookpoint=name for one that does not tell its hookpoint " +
        "(default: the embedded SAEs)",
    )
    .option("--local-sae-dir <folder...>", "the same as --sae-model")
    .option("--no-guard", "count even SAEs that do not fit their hookpoints")
    .option(
      "--layer <hookpoint...>",
      "hookpoints, with braces and globs: model.layers.{0..5}.mlp for latents, layers.*.mlp.act_fn for " +
        "neurons (default: all that have an SAE)",
    )
    .option(
      "--dataset-configs <spec...>",
      "texts as name:lang or name:lang:split:start:end; name is udhr, a folder with " +
        "<lang>.txt|jsonl|csv|parquet, a file, or owner/name on the hub, such as facebook/xnli",
      DEFAULT_DATASETS,
    )
    .option(
      "--text-column <name>",
      "column with the texts of tables and JSON lines (default: text, or the data set's own)",
    )
    .option(
      "--prompt-template <text>",
      'texts made of several columns, such as "{premise} {hypothesis}"',
    )
    .option(
      "--normalize <form>",
      `bring texts to a Unicode normal form: ${
        NORMAL_FORMS.join(", ")
      } (default: as they are; udhr: nfc)`,
      oneOf(...NORMAL_FORMS),
    )
    .option("--out-dir <folder>", "where results go", "results")
    .option("--block-tokens <n>", "most tokens of one batch", integer({ min: 1 }), 8192)
    .option("--batch-size <n>", "most texts of one batch", integer({ min: 1, max: 65536 }), 1024)
    .option("--memory-budget <size>", "most GPU memory to use, e.g. 2GiB (default: no bound)", size)
    .option(
      "--kernels <family>",
      "kernels of the heavy products: texture (software Vulkan) or tile (GPUs) (default: after the adapter)",
      oneOf("texture", "tile"),
    )
    .option("--checkpoint-every <seconds>", "time between checkpoints", number({ min: 0 }), 10)
    .option("--profile", "print the GPU time of every kernel at the end")
    .option("--compat <system>", "reproduce published bugs of: paper", oneOf("paper"));
}

/** What the options of counting are parsed to. */
export type CountOptions = ReturnType<ReturnType<typeof withCountOptions>["opts"]>;

/** Counts and what they were made from. */
export interface Counted extends Disposable {
  readonly subject: Subject;
  readonly corpora: readonly Corpus[];
  readonly results: readonly CountResult[];
  /** SHA-256 of the code that counted. */
  readonly code: string;
  /** Folder of the counts. */
  readonly folder: string;
  /** What the guard said of the SAEs; empty where nothing was counted, or without a guard. */
  readonly guarded: readonly GuardReport[];
  /** Most bytes in use at a time so far. */
  peaks(): MemoryPeaks;
  /** The GPU, opened on the first call. */
  openGpu(): Promise<OpenGpu>;
}

/** Most memory in use at a time, in bytes. */
export interface MemoryPeaks {
  /** Accounted buffers and textures; undefined while the GPU was not needed. */
  readonly gpu: number | undefined;
  /** Resident memory of the process, without the GPU's where that is software. */
  readonly host: number;
}

/** Folder of the counts of latents and neurons in the output folder. */
export const COUNT_FOLDERS = { latents: "counts", neurons: "neuron_counts" } as const;

/**
 * Does what the options of counting say.
 *
 * @param outPath folder of the counts within `--out-dir`; after the kind of units if not given
 * @param hookpoints used when `--layer` is not given
 */
export async function count(
  options: CountOptions,
  outPath?: string,
  hookpoints?: readonly string[],
): Promise<Counted> {
  const owned = new DisposableStack();
  try {
    return await countOwning(owned, options, outPath, hookpoints);
  } catch (error) {
    owned.dispose();
    throw error;
  }
}

async function countOwning(
  owned: DisposableStack,
  options: CountOptions,
  outPath: string | undefined,
  hookpoints: readonly string[] | undefined,
): Promise<Counted> {
  const { compat, textColumn, promptTemplate, normalize } = options;
  const access = userAccess();
  const reading: CorpusOptions = {
    textColumn,
    promptTemplate,
    normalize,
    compat,
    hub: access.hub,
    rowsCache: join(cacheFolder(), "rows"),
  };
  const specs = parseDatasetConfigs(options.datasetConfigs, { compat });
  const corpora: Corpus[] = [];
  for (const spec of specs) corpora.push(await loadCorpus(spec, reading));
  const subject = owned.use(
    await openSubject({
      model: options.model,
      saes: options.localSaeDir ?? options.saeModel,
      hookpoints: options.layer ?? hookpoints,
    }, access),
  );
  const code = await codeHash(COUNTING_ROOMS);
  const folder = resolve(join(options.outDir, outPath ?? COUNT_FOLDERS[subject.kind]));
  let opened: Promise<OpenGpu> | undefined;
  let gpu: OpenGpu | undefined;
  const openGpu = () => opened ??= openOptionsGpu(options, owned).then((open) => gpu = open);
  const host = owned.use(watchHostMemory(() => gpu?.software ? gpu.gpu.memory.live : 0));
  let shown: Progress | undefined;
  const { results, guarded } = await runCount({
    subject,
    corpora,
    folder,
    code,
    compat,
    limits: { tokens: options.blockTokens, examples: options.batchSize },
    checkpointSeconds: options.checkpointEvery,
    guardStore: options.guard ? cachedBytes() : undefined,
    openGpu,
    started(total) {
      if (total > 0) shown = progress({ label: "counting", total, unit: "tokens" });
    },
    progressed: (tokens, language) => shown?.update(tokens, language),
    warn: remark,
  }).finally(() => shown?.done());
  const dispose = () => owned.dispose();
  return {
    subject,
    corpora,
    results,
    code,
    folder,
    guarded,
    peaks: () => ({ gpu: gpu?.gpu.memory.peak, host: host.peak }),
    openGpu,
    [Symbol.dispose]: dispose,
  };
}

async function openOptionsGpu(options: CountOptions, owned: DisposableStack): Promise<OpenGpu> {
  const { adapter, driver, software } = await bringUpAdapter();
  const { kernels: family, memoryBudget, profile } = options;
  const gpu = owned.use(await Gpu.open(adapter, { family, memoryBudget, profile }));
  const { longLoops } = await selfTest(gpu, driver, cachedBytes());
  const { description } = gpu.identity;
  const name = [description, driver, `${gpu.identity.family} kernels`].filter(Boolean).join("; ");
  return { gpu, adapter: name, software, longLoops };
}

/** What run.json says of counting. */
export function countProvenance({ subject, results, guarded, code, peaks }: Counted) {
  const { gpu, host } = peaks();
  return {
    model: { name: subject.modelName, sha256: subject.hashes.model },
    saes: { name: subject.saeName ?? null, sha256: subject.hashes.saes },
    hookpoints: subject.targets.map(({ hookpoint }) => hookpoint.name),
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
    gpu_peak_bytes: gpu ?? null,
    host_peak_bytes: host,
    code: { sha256: code },
    versions: versions(),
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

/** GPU time per kernel as a table (`--profile`); undefined when nothing was measured. */
export function profileTable({ profiler }: Gpu): string | undefined {
  const times = profiler?.report() ?? [];
  if (times.length === 0) return undefined;
  const columns = [{ header: "kernel" }, { header: "dispatches" }, { header: "GPU ms" }];
  return table(
    columns.map((column, i) => ({ ...column, align: i === 0 ? "left" : "right" })),
    times.map(({ kernel, dispatches, milliseconds }) => [
      kernel,
      String(dispatches),
      milliseconds.toFixed(1),
    ]),
  );
}
