/** Counts on which tokens and in which texts the units of a model fire. */
import type { ActivationSums, Counts } from "../formats/counts.ts";
import { InputError } from "../formats/input_error.ts";
import {
  Accumulators,
  groupBytes,
  lastBytes,
  NOT_COUNTED,
  seenBytes,
  type TokenParts,
} from "../gpu/accumulators.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { Rows } from "../gpu/rows.ts";
import { ActivationAccumulator } from "../gpu/sum_activations.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { type Batch, type BatchLimits, pack } from "../nn/batch.ts";
import type { Llama } from "../nn/llama.ts";
import { allocateEntries, type OwnedEntries, SaeEncoder } from "../sae/encoder.ts";
import type { Sae } from "../sae/sae.ts";
import { SaeRows } from "../sae/sae_rows.ts";
import type { Target } from "../sae/target.ts";
import { GroupedFirings } from "./document_groups.ts";

export interface CounterOptions extends BatchLimits {
  /** Count slots of TopK SAEs whose value is 0 as well, as published (spec Q3). */
  readonly countZeros?: boolean;
  /** Groups of documents that are counted apart; none if not given. */
  readonly groups?: number;
  /** Token that is left out of everything where a text starts with it: BOS (spec Q7). */
  readonly excluded?: number;
}

/**
 * Batches that take longer are waited for at every hookpoint, so that someone can be told. The 11 ms
 * of each wait are nothing then.
 */
const LONG_BATCH_MS = 5000;

/** Runs texts through a model and keeps the counts on the GPU until they are taken. */
export class Counter implements Disposable {
  readonly #gpu: Gpu;
  readonly #llama: Llama;
  readonly #targets: readonly Target[];
  readonly #owned = new DisposableStack();
  readonly #accumulators: readonly Accumulators[];
  readonly #rows: SaeRows;
  /** Of each target with an SAE: sums of what the SAE stands for. */
  readonly #activations: readonly ActivationAccumulator[];
  readonly #latents: LatentCounter | undefined;
  readonly #width: number;
  #examples = 0;
  #tokens = 0;
  /** Tokens counted of each group. */
  readonly #groupTokens: Uint32Array;
  /** What the last batch took; the first may take long. */
  #batchMs = Infinity;

  /**
   * @param targets one or more, all latents of SAEs with one number of latents, or all neurons
   * @param options most tokens and texts of one batch, and the counting rule
   * @throws InputError when an SAE does not fit the model or the other SAEs, or groups do not fit the
   *   adapter
   */
  constructor(
    gpu: Gpu,
    llama: Llama,
    store: WeightStore,
    targets: readonly Target[],
    readonly options: CounterOptions,
  ) {
    this.#gpu = gpu;
    this.#llama = llama;
    this.#targets = targets;
    this.#width = checkedWidth(llama, targets);
    llama.prepare(options.tokens);
    const { groups = 0 } = options;
    checkGroups(gpu, groups, this.#width);
    this.#groupTokens = new Uint32Array(groups);
    this.#accumulators = targets.map(() =>
      this.#owned.use(new Accumulators(gpu, this.#width, groups))
    );
    const saes = targets.flatMap(({ sae }) => sae ?? []);
    this.#rows = this.#owned.use(new SaeRows(gpu, saes, options.tokens));
    this.#activations = saes.map(({ inputSize }) =>
      this.#owned.use(new ActivationAccumulator(gpu, inputSize))
    );
    if (saes.length > 0) {
      this.#latents = this.#owned.use(new LatentCounter(gpu, store, saes, options));
    }
  }

  /**
   * Counts one batch of tokenised texts; returns when the GPU is done with it.
   *
   * @param texts together within the limits of the options
   * @param groups each text's group of documents; the first, if not given
   * @param reached told the share of the batch's hookpoints that are done, where batches take long
   */
  async add(
    texts: readonly Uint32Array[],
    groups: readonly number[] = [],
    reached?: (share: number) => void,
  ): Promise<void> {
    const started = performance.now();
    const batch = pack(texts);
    using parts = this.#partsOf(batch, groups);
    const hooks = this.#targets.map((target, i) =>
      this.#rows.hook(target, async (recorder, x, y, first) => {
        const counts = this.#accumulators[i];
        if (target.sae && this.#latents) {
          this.#activations[i].record(recorder, y, parts);
          await this.#latents.count(recorder, target.sae, x, parts, counts);
        } else {
          counts.recordNeurons(recorder, y, parts, first);
        }
        const isLast = first + y.rows === batch.ids.length;
        if (!reached || !isLast || this.#batchMs < LONG_BATCH_MS) return;
        recorder.submit();
        await this.#gpu.settle();
        reached((i + 1) / this.#targets.length);
      })
    );
    await this.#llama.forward(batch, hooks);
    await this.#gpu.settle();
    this.#batchMs = performance.now() - started;
    this.#examples += batch.exampleCount;
    for (const [i, text] of texts.entries()) {
      const tokens = text.length - (text[0] === this.options.excluded ? 1 : 0);
      this.#tokens += tokens;
      if (this.#groupTokens.length > 0) this.#groupTokens[groups[i] ?? 0] += tokens;
    }
  }

  /** What the kernels know of a batch's tokens beside their activations. */
  #partsOf(batch: Batch, groups: readonly number[]): TokenParts & Disposable {
    const owned = new DisposableStack();
    const upload = (label: string, values: Uint32Array) =>
      owned.use(this.#gpu.bufferOf(label, values)).resource;
    const counted = batch.examples.map((example, at) =>
      batch.positions[at] === 0 && batch.ids[at] === this.options.excluded ? NOT_COUNTED : example
    );
    const group = this.#groupTokens.length > 0
      ? upload("groups of tokens", batch.examples.map((example) => groups[example] ?? 0))
      : undefined;
    return {
      example: upload("texts of tokens", counted),
      group,
      [Symbol.dispose]: () => owned[Symbol.dispose](),
    };
  }

  /**
   * The counts since the last take; counting starts again from zero.
   *
   * @param labels of the groups of documents, in the order of their indices
   */
  async take(labels: readonly string[] = []): Promise<Counts> {
    const layers = this.#targets.map(({ hookpoint }) => hookpoint.layer);
    const size = layers.length * this.#width;
    const counts: Counts = {
      layers,
      width: this.#width,
      examples: this.#examples,
      tokens: this.#tokens,
      firedTokens: new Uint32Array(size),
      firedExamples: new Uint32Array(size),
      sum: new BigInt64Array(size),
      max: new Float32Array(size),
      min: new Float32Array(size),
    };
    const firings = new GroupedFirings(labels);
    for (const [row, accumulators] of this.#accumulators.entries()) {
      const units = await accumulators.take(labels.length);
      const at = row * this.#width;
      counts.firedTokens.set(units.firedTokens, at);
      counts.firedExamples.set(units.firedExamples, at);
      counts.sum.set(units.sum, at);
      counts.max.set(units.max, at);
      counts.min.set(units.min, at);
      firings.add(units.groups, at);
    }
    const tokens = this.#groupTokens.slice();
    this.#examples = 0;
    this.#tokens = 0;
    this.#groupTokens.fill(0);
    return {
      ...counts,
      ...tokens.length > 0 && {
        documents: firings.finish(tokens),
      },
      ...this.#activations.length > 0 && { activations: await this.#takeActivations() },
    };
  }

  async #takeActivations(): Promise<ActivationSums> {
    const [{ width }] = this.#activations;
    const sum = new BigInt64Array(this.#activations.length * width);
    for (const [row, sums] of this.#activations.entries()) sum.set(await sums.take(), row * width);
    return { width, sum };
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Encodes and counts latents; owns what that takes beside the accumulators, for one layer at a time. */
class LatentCounter implements Disposable {
  readonly #encoder: SaeEncoder;
  readonly #owned = new DisposableStack();
  /** By k. */
  readonly #entries = new Map<number, OwnedEntries>();
  /** Which latents of a TopK SAE fired in which text of a batch. */
  readonly #seen: GPUBuffer;
  /** The text in which each latent of an SAE with thresholds fired last. */
  readonly #last: GPUBuffer;
  readonly #countZeros: boolean;

  constructor(
    gpu: Gpu,
    store: WeightStore,
    saes: readonly Sae[],
    { tokens, examples, countZeros = false }: CounterOptions,
  ) {
    const [{ latents }] = saes;
    this.#encoder = this.#owned.use(new SaeEncoder(gpu, store, saes, tokens));
    const ks = new Set(saes.flatMap(({ activation }) => "k" in activation ? activation.k : []));
    for (const k of ks) this.#entries.set(k, this.#owned.use(allocateEntries(gpu, tokens, k)));
    const dense = saes.some(({ activation }) => activation.kind === "threshold");
    const scratch = (label: string, bytes: number) =>
      this.#owned.use(gpu.buffer(label, bytes)).resource;
    this.#seen = scratch("seen", ks.size > 0 ? seenBytes(examples, latents) : 0);
    this.#last = scratch("last texts", dense ? lastBytes(latents) : 0);
    this.#countZeros = countZeros;
  }

  /** Records the encoding of one layer's activations and their counting. */
  async count(
    recorder: Recorder,
    sae: Sae,
    x: Rows,
    parts: TokenParts,
    accumulators: Accumulators,
  ): Promise<void> {
    const { activation } = sae;
    if (activation.kind === "threshold") {
      recorder.clear(this.#last);
      await this.#encoder.encodeDense(recorder, sae, x, ({ values, latent, token }) => {
        accumulators.recordDense(recorder, values, latent, parts, token, this.#last);
      });
      return;
    }
    const { k } = activation;
    const entries = this.#entries.get(k)!;
    await this.#encoder.encode(recorder, sae, x, entries);
    recorder.clear(this.#seen);
    accumulators.recordTopK(recorder, entries, x.rows, k, parts, this.#seen, this.#countZeros);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Groups of one layer are bound as one buffer. */
function checkGroups({ limits }: Gpu, groups: number, width: number): void {
  const most = Math.floor(limits.maxStorageBufferBindingSize / groupBytes(1, width));
  if (groups <= most) return;
  throw new InputError(
    `${groups} groups of documents over ${width} units are more than this adapter can count, ` +
      `expected at most ${most}: lower --document-groups.`,
  );
}

/** Units per layer, the same for all targets. */
function checkedWidth({ config }: Llama, targets: readonly Target[]): number {
  const [{ sae: first }] = targets;
  for (const { hookpoint, sae } of targets) {
    if (Boolean(sae) !== Boolean(first) || Boolean(sae) === (hookpoint.site === "act_fn")) {
      throw new InputError(
        `hookpoint ${hookpoint.name} cannot be counted with the others: neurons are counted at ` +
          `layers.N.mlp.act_fn, latents at layers.N.mlp or layers.N, in runs of their own.`,
      );
    }
    if (!sae || !first) continue;
    if (sae.inputSize !== config.hiddenSize) {
      throw new InputError(
        `${sae.where} reads activations of width ${sae.inputSize}, but ${hookpoint.name} of this model ` +
          `has width ${config.hiddenSize}: give an SAE that was trained on this model.`,
      );
    }
    if (sae.latents !== first.latents) {
      throw new InputError(
        `${sae.where} has ${sae.latents} latents but ${first.where} has ${first.latents}: count SAEs ` +
          `of one number of latents at a time.`,
      );
    }
  }
  const layers = targets.map(({ hookpoint }) => hookpoint.layer);
  if (new Set(layers).size < layers.length) {
    throw new InputError(
      `two hookpoints lie in one layer: count one hookpoint per layer at a time.`,
    );
  }
  return first ? first.latents : config.mlpSize;
}
