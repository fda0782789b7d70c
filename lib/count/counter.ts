/** Counts on which tokens and in which texts the units of a model fire. */
import { type Counts } from "../formats/counts.ts";
import { InputError } from "../formats/input_error.ts";
import { Accumulators, seenBytes } from "../gpu/accumulators.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Allocated } from "../gpu/memory.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { type BatchLimits, pack } from "../nn/batch.ts";
import type { Hookpoint } from "../nn/hookpoints.ts";
import type { Hook, Llama } from "../nn/llama.ts";
import { allocateEntries, type OwnedEntries, SaeEncoder } from "../sae/encoder.ts";
import { keptPerToken, type Sae } from "../sae/sae.ts";

/** What is counted at a hookpoint: the latents of an SAE, or the neurons of an act_fn. */
export interface Target {
  readonly hookpoint: Hookpoint;
  /** Absent for neurons. */
  readonly sae?: Sae;
}

export interface CounterOptions extends BatchLimits {
  /** Count TopK slots whose value is 0 as well, as published (spec Q3). */
  readonly countZeros?: boolean;
}

/** Runs texts through a model and keeps the counts on the GPU until they are taken. */
export class Counter implements Disposable {
  readonly #gpu: Gpu;
  readonly #llama: Llama;
  readonly #targets: readonly Target[];
  readonly #owned = new DisposableStack();
  readonly #accumulators: readonly Accumulators[];
  readonly #latents: LatentScratch | undefined;
  readonly #width: number;
  #examples = 0;
  #tokens = 0;

  /**
   * @param targets one or more, all latents of SAEs of one shape or all neurons
   * @param options most tokens and texts of one batch, and the counting rule
   * @throws InputError when an SAE does not fit the model or the other SAEs
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
    this.#accumulators = targets.map(() => this.#owned.use(new Accumulators(gpu, this.#width)));
    const { sae } = targets[0];
    if (sae) {
      const encoder = this.#owned.use(new SaeEncoder(gpu, store, sae, options.tokens));
      const entries = this.#owned.use(allocateEntries(gpu, options.tokens, keptPerToken(sae)));
      const seen = this.#owned.use(gpu.buffer("seen", seenBytes(options.examples, this.#width)));
      this.#latents = { encoder, entries, seen };
    }
  }

  /**
   * Counts one batch of tokenised texts; returns when the GPU is done with it.
   *
   * @param texts together within the limits of the options
   */
  async add(texts: readonly Uint32Array[]): Promise<void> {
    const batch = pack(texts);
    using examples = this.#gpu.bufferOf("examples", batch.examples);
    const hooks = this.#targets.map((target, i) =>
      this.#latents
        ? this.#latentHook(target, this.#accumulators[i], examples.resource, this.#latents)
        : this.#neuronHook(target, this.#accumulators[i], examples.resource)
    );
    await this.#llama.forward(batch, hooks);
    await this.#gpu.settle();
    this.#examples += batch.exampleCount;
    this.#tokens += batch.ids.length;
  }

  #latentHook(
    { hookpoint, sae }: Target,
    accumulators: Accumulators,
    examples: GPUBuffer,
    { encoder, entries, seen }: LatentScratch,
  ): Hook {
    const { countZeros = false } = this.options;
    return {
      hookpoint,
      async run(recorder, activations) {
        await encoder.encode(recorder, sae!, activations, entries);
        recorder.clear(seen.resource);
        accumulators.recordTopK(
          recorder,
          entries,
          activations.rows,
          entries.k,
          { buffer: examples },
          seen.resource,
          countZeros,
        );
      },
    };
  }

  #neuronHook({ hookpoint }: Target, accumulators: Accumulators, examples: GPUBuffer): Hook {
    return {
      hookpoint,
      run(recorder, activations, first) {
        accumulators.recordNeurons(recorder, activations, { buffer: examples, offset: first * 4 });
      },
    };
  }

  /** The counts since the last take; counting starts again from zero. */
  async take(): Promise<Counts> {
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
    for (const [row, accumulators] of this.#accumulators.entries()) {
      const units = await accumulators.take();
      const at = row * this.#width;
      counts.firedTokens.set(units.firedTokens, at);
      counts.firedExamples.set(units.firedExamples, at);
      counts.sum.set(units.sum, at);
      counts.max.set(units.max, at);
      counts.min.set(units.min, at);
    }
    this.#examples = 0;
    this.#tokens = 0;
    return counts;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** What counting latents takes beside the accumulators. */
interface LatentScratch {
  readonly encoder: SaeEncoder;
  readonly entries: OwnedEntries;
  /** Which latents fired in which text of a batch, for one layer at a time. */
  readonly seen: Allocated<GPUBuffer>;
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
    if (
      sae.latents !== first.latents || keptPerToken(sae) !== keptPerToken(first) ||
      sae.encoder.type !== first.encoder.type
    ) {
      throw new InputError(
        `${sae.where} has ${sae.latents} latents (k ${
          keptPerToken(sae)
        }, ${sae.encoder.type}) but ${first.where} has ` +
          `${first.latents} (k ${
            keptPerToken(first)
          }, ${first.encoder.type}): count SAEs of one shape at a time.`,
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
