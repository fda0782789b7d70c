/** The model, the texts and the GPU that a step's options name. */
import { join } from "node:path";
import { bringUpAdapter } from "../cli/adapter.ts";
import type { Workload } from "../cli/lavapipe.ts";
import { cachedBytes, cacheFolder } from "../cli/cache.ts";
import { watchHostMemory } from "../cli/host_memory.ts";
import { table } from "../cli/table.ts";
import { type Corpus, loadCorpus } from "../data/corpora.ts";
import { describeSpec, parseDatasetConfigs } from "../data/dataset_configs.ts";
import { versions } from "../data/manifest.ts";
import { Gpu } from "../gpu/device.ts";
import { selfTest } from "../gpu/self_test.ts";
import { WeightStore } from "../gpu/weight_store.ts";
import type { BatchLimits } from "../nn/batch.ts";
import type { Llama } from "../nn/llama.ts";
import { userAccess } from "../subject/access.ts";
import { openLlama } from "../subject/open_llama.ts";
import { openSubject, type Subject } from "../subject/subject.ts";
import type { ModelOptions, RunOptions, TextOptions } from "./options.ts";

/** A GPU that has passed its self-test, and how results name it. */
export interface OpenGpu {
  readonly gpu: Gpu;
  /** Adapter, driver and kernel family. */
  readonly adapter: string;
  /** True where kernels run on the processor and GPU memory lies in the process's own. */
  readonly software: boolean;
  /** False where texts of more than 65,535 tokens would be cut short (self_test.ts). */
  readonly longLoops: boolean;
}

/** Most memory in use at a time, in bytes. */
export interface MemoryPeaks {
  /** Accounted buffers and textures; undefined while the GPU was not needed. */
  readonly gpu: number | undefined;
  /** Resident memory of the process, without the GPU's where that is software. */
  readonly host: number;
}

/** A subject, and a GPU for it that is opened when it is first needed. */
export interface Session extends Disposable {
  readonly subject: Subject;
  /** Most bytes in use at a time so far. */
  peaks(): MemoryPeaks;
  /**
   * The GPU, opened on the first call.
   *
   * @param rows tokens that most passes have, where it is known to be few
   */
  openGpu(rows?: number): Promise<OpenGpu>;
}

/**
 * The texts that options name.
 *
 * @throws InputError for texts that cannot be had
 */
export async function openCorpora(
  { datasetConfigs, textColumn, promptTemplate, normalForm }: TextOptions,
  { compat }: Pick<RunOptions, "compat">,
): Promise<Corpus[]> {
  const { hub } = userAccess();
  const rowsCache = join(cacheFolder(), "rows");
  const reading = { textColumn, promptTemplate, normalForm, compat, hub, rowsCache };
  const corpora: Corpus[] = [];
  for (const spec of parseDatasetConfigs(datasetConfigs, { compat })) {
    corpora.push(await loadCorpus(spec, reading));
  }
  return corpora;
}

/**
 * Opens what options name; no weights are read yet.
 *
 * @param hookpoints used when `--layer` is not given
 * @throws InputError for a model or SAEs that cannot be used
 */
export async function openSession(
  options: ModelOptions & RunOptions,
  hookpoints?: readonly string[],
): Promise<Session> {
  using undo = new DisposableStack();
  const subject = undo.use(
    await openSubject({
      model: options.model,
      saes: options.localSaeDir ?? options.saeModel,
      hookpoints: options.layer ?? hookpoints,
    }, userAccess()),
  );
  const columns = subject.config.hiddenSize;
  let opened: Promise<OpenGpu> | undefined;
  let gpu: OpenGpu | undefined;
  const host = undo.use(watchHostMemory(() => gpu?.software ? gpu.gpu.memory.live : 0));
  const owned = undo.move();
  return {
    subject,
    peaks: () => ({ gpu: gpu?.gpu.memory.peak, host: host.peak }),
    openGpu: (rows) =>
      opened ??= openGpu(options, { columns, rows }, owned).then((open) => gpu = open),
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/**
 * Opens the adapter and makes sure that it computes as it should.
 *
 * @param workload what is going to be computed
 * @param owned disposes of it
 */
export async function openGpu(
  options: Pick<RunOptions, "kernels" | "memoryBudget" | "profile">,
  workload: Workload,
  owned: DisposableStack,
): Promise<OpenGpu> {
  const { adapter, driver, software } = await bringUpAdapter({ workload });
  const { kernels: family, memoryBudget, profile } = options;
  const gpu = owned.use(await Gpu.open(adapter, { family, memoryBudget, profile }));
  const { longLoops } = await selfTest(gpu, driver, cachedBytes());
  const { description } = gpu.identity;
  const name = [description, driver, `${gpu.identity.family} kernels`].filter(Boolean).join("; ");
  return { gpu, adapter: name, software, longLoops };
}

/** A model on a GPU, and how large its batches may be. */
export interface RunningModel extends Disposable {
  readonly gpu: Gpu;
  readonly store: WeightStore;
  readonly llama: Llama;
  /** What results call the adapter. */
  readonly adapter: string;
  readonly limits: BatchLimits;
}

/**
 * Puts the session's model on its GPU.
 *
 * @param longest tokens of the longest text, when batches need not be larger than all texts together
 */
export async function runModel(
  session: Session,
  { blockTokens, batchSize }: RunOptions,
): Promise<RunningModel> {
  const { gpu, adapter, longLoops } = await session.openGpu();
  using undo = new DisposableStack();
  const store = undo.use(new WeightStore(gpu));
  const llama = undo.use(openLlama(gpu, session.subject, store));
  const tokens = Math.min(blockTokens, llama.mostTokens, longLoops ? Infinity : 65_000);
  const owned = undo.move();
  return {
    gpu,
    store,
    llama,
    adapter,
    limits: { tokens, examples: batchSize },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/** What run.json says of the model, the SAEs and the memory they took. */
export function sessionProvenance({ subject, peaks }: Session) {
  const { gpu, host } = peaks();
  return {
    model: { name: subject.modelName, sha256: subject.hashes.model },
    saes: { name: subject.saeName ?? null, sha256: subject.hashes.saes },
    hookpoints: subject.targets.map(({ hookpoint }) => hookpoint.name),
    gpu_peak_bytes: gpu ?? null,
    host_peak_bytes: host,
    versions: versions(),
  };
}

/** What run.json says of texts. */
export function corpusProvenance(corpora: readonly Corpus[]) {
  return corpora.map(({ spec, source, sha256, language, texts }) => ({
    data_set: describeSpec(spec),
    source,
    sha256,
    language: language.name,
    texts: texts.length,
  }));
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
