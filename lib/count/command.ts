/** The command line of counting: options that `count` and `identify` share, and what they mean. */
import { join, resolve } from "node:path";
import { bringUpAdapter } from "../cli/adapter.ts";
import { cachedBytes } from "../cli/cache.ts";
import { remark } from "../cli/output.ts";
import { type Progress, progress } from "../cli/progress.ts";
import type { step } from "../cli/step.ts";
import { table } from "../cli/table.ts";
import { integer, number, oneOf, size } from "../cli/values.ts";
import { type Corpus, loadCorpus, NORMAL_FORMS } from "../data/corpora.ts";
import { describeSpec, parseDatasetConfigs } from "../data/dataset_configs.ts";
import { LANGUAGES } from "../data/languages.ts";
import { codeHash, versions } from "../data/manifest.ts";
import { Gpu } from "../gpu/device.ts";
import { selfTest } from "../gpu/self_test.ts";
import { type CountResult, type OpenGpu, runCount } from "./run_count.ts";
import { openSubject, type Subject } from "./subject.ts";

/** Code that decides counts. */
const COUNTING_ROOMS = [
  "kernels",
  "lib/gpu",
  "lib/nn",
  "lib/sae",
  "lib/lape",
  "lib/count",
  "lib/formats",
  "lib/data",
];

/** All languages of the paper in the corpus that needs no files. */
const DEFAULT_DATASETS = [`udhr:{${LANGUAGES.map(({ code }) => code).join(",")}}`];

/** Adds the options of counting to a step's command. */
export function withCountOptions(command: ReturnType<typeof step>) {
  return command
    .option("--model <folder>", "Hugging Face folder of a Llama (default: the embedded model)")
    .option(
      "--sae-model <folder>",
      "folder with an SAE folder per hookpoint (default: the embedded SAEs)",
    )
    .option("--local-sae-dir <folder>", "the same as --sae-model")
    .option(
      "--layer <hookpoint...>",
      "hookpoints, with braces and globs: model.layers.{0..5}.mlp for latents, layers.*.mlp.act_fn for " +
        "neurons (default: all that have an SAE)",
    )
    .option(
      "--dataset-configs <spec...>",
      "texts as name:lang or name:lang:split:start:end; name is udhr or a folder with " +
        "<lang>.txt|jsonl|csv|parquet",
      DEFAULT_DATASETS,
    )
    .option("--text-column <name>", "column with the texts of tables and JSON lines", "text")
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
  /** Most bytes of GPU memory in use at a time; undefined while the GPU was not needed. */
  gpuPeakBytes(): number | undefined;
  /** The GPU, opened on the first call. */
  openGpu(): Promise<OpenGpu>;
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
  const { compat, textColumn, normalize } = options;
  const specs = parseDatasetConfigs(options.datasetConfigs, { compat });
  const corpora = await Promise.all(
    specs.map((spec) => loadCorpus(spec, { textColumn, normalize, compat })),
  );
  const subject = owned.use(
    await openSubject({
      model: options.model,
      saes: options.localSaeDir ?? options.saeModel,
      hookpoints: options.layer ?? hookpoints,
    }),
  );
  const code = await codeHash(COUNTING_ROOMS);
  const folder = resolve(join(options.outDir, outPath ?? COUNT_FOLDERS[subject.kind]));
  let opened: Promise<OpenGpu> | undefined;
  let gpu: Gpu | undefined;
  const openGpu = () =>
    opened ??= openOptionsGpu(options, owned).then((open) => {
      gpu = open.gpu;
      return open;
    });
  const gpuPeakBytes = () => gpu?.memory.peak;
  let shown: Progress | undefined;
  const results = await runCount({
    subject,
    corpora,
    folder,
    code,
    compat,
    limits: { tokens: options.blockTokens, examples: options.batchSize },
    checkpointSeconds: options.checkpointEvery,
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
    gpuPeakBytes,
    openGpu,
    [Symbol.dispose]: dispose,
  };
}

async function openOptionsGpu(options: CountOptions, owned: DisposableStack): Promise<OpenGpu> {
  const { adapter, driver } = await bringUpAdapter();
  const { kernels: family, memoryBudget, profile } = options;
  const gpu = owned.use(await Gpu.open(adapter, { family, memoryBudget, profile }));
  const { longLoops } = await selfTest(gpu, driver, cachedBytes());
  const { description } = gpu.identity;
  const name = [description, driver, `${gpu.identity.family} kernels`].filter(Boolean).join("; ");
  return { gpu, adapter: name, longLoops };
}

/** What run.json says of counting. */
export function countProvenance({ subject, results, code, gpuPeakBytes }: Counted) {
  return {
    model: { name: subject.modelName, sha256: subject.hashes.model },
    saes: { name: subject.saeName ?? null, sha256: subject.hashes.saes },
    hookpoints: subject.targets.map(({ hookpoint }) => hookpoint.name),
    corpora: results.map(({ corpora, examples, tokens, adapter, reused, resumedExamples }) => ({
      data_sets: corpora.map(({ spec }) => describeSpec(spec)),
      sha256: corpora.map(({ sha256 }) => sha256),
      language: corpora[0].language.name,
      examples,
      tokens,
      adapter,
      reused,
      resumed_examples: resumedExamples,
    })),
    gpu_peak_bytes: gpuPeakBytes() ?? null,
    code: { sha256: code },
    versions: versions(),
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
