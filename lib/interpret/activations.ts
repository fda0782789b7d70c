/** Activations of latents and neurons on texts, token by token, on the host. */
import { ColumnReader } from "../gpu/columns.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { Rows } from "../gpu/rows.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { type BatchLimits, groupTexts, pack } from "../nn/batch.ts";
import type { Llama } from "../nn/llama.ts";
import { allocateEntries, readEntries, SaeEncoder } from "../sae/encoder.ts";
import type { Sae } from "../sae/sae.ts";
import { SaeRows } from "../sae/sae_rows.ts";
import type { Target } from "../sae/target.ts";

/** A model that texts run through. */
export interface Reader {
  readonly gpu: Gpu;
  readonly store: WeightStore;
  readonly llama: Llama;
  readonly limits: BatchLimits;
}

/** What is active on each token of a text at one hookpoint: token `t` has slots `offsets[t]` to `offsets[t + 1]`. */
export interface SparseActivations {
  /** [tokens + 1] */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** Latent or neuron of each slot. A TopK SAE's come by value, largest first; others ascending. */
  readonly units: Uint32Array<ArrayBuffer>;
  /** > 0, unless zeros were asked for */
  readonly values: Float32Array<ArrayBuffer>;
}

/** One text's activations. */
export interface TextActivations {
  /** Position of the text in the list given. */
  readonly text: number;
  /** In the order of the targets. */
  readonly targets: readonly SparseActivations[];
}

export interface ReadOptions {
  /** The units wanted of each target, in their order; all if not given. */
  readonly wanted?: readonly ReadonlySet<number>[];
  /** TopK slots whose value is 0 as well, as published (spec Q3). */
  readonly zeros?: boolean;
}

/**
 * Runs texts through a model and reads their activations back, a batch at a time.
 *
 * @param targets one or more hookpoints with an SAE, or neurons, in the order of the pass
 * @param texts tokenised
 * @yields every text, in order
 */
export async function* readActivations(
  { gpu, store, llama, limits }: Reader,
  targets: readonly Target[],
  texts: readonly { readonly ids: Uint32Array }[],
  options: ReadOptions = {},
): AsyncGenerator<TextActivations> {
  llama.prepare(limits.tokens);
  using rows = new SaeRows(gpu, targets.flatMap(({ sae }) => sae ?? []), limits.tokens);
  using reader = new ActivationReader(gpu, store, llama, targets, limits.tokens, options);
  let text = 0;
  for (const group of groupTexts(texts, limits)) {
    const batch = pack(group.map(({ ids }) => ids));
    const slots = targets.map(() => Array.from(batch.ids, (): Slot[] => []));
    const hooks = targets.map((target, i) =>
      rows.hook(
        target,
        (recorder, x, _, first) =>
          target.sae
            ? reader.readLatents(recorder, target.sae, x, i, slots[i])
            : reader.readColumns(recorder, x, 0, i, slots[i].slice(first)),
      )
    );
    await llama.forward(batch, hooks);
    await gpu.settle();
    let token = 0;
    for (const { ids } of group) {
      const end = token + ids.length;
      yield { text, targets: slots.map((tokens) => sparse(tokens.slice(token, end))) };
      token = end;
      text++;
    }
  }
}

/** A unit and its value. */
type Slot = readonly [unit: number, value: number];

function sparse(tokens: readonly (readonly Slot[])[]): SparseActivations {
  const offsets = new Uint32Array(tokens.length + 1);
  tokens.forEach((slots, token) => offsets[token + 1] = offsets[token] + slots.length);
  const slots = tokens.flat();
  return {
    offsets,
    units: Uint32Array.from(slots, ([unit]) => unit),
    values: Float32Array.from(slots, ([, value]) => value),
  };
}

/** Reads activations back; owns the memory that encoding and reading take. */
class ActivationReader implements Disposable {
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #encoder: SaeEncoder;
  readonly #columns: ColumnReader;
  readonly #options: ReadOptions;

  constructor(
    gpu: Gpu,
    store: WeightStore,
    { config }: Llama,
    targets: readonly Target[],
    tokens: number,
    options: ReadOptions,
  ) {
    this.#gpu = gpu;
    this.#options = options;
    const saes = targets.flatMap(({ sae }) => sae ?? []);
    this.#encoder = this.#owned.use(new SaeEncoder(gpu, store, saes, tokens));
    const widest = targets.map(({ sae }, i) => {
      if (sae?.activation.kind === "topk") return 1;
      return options.wanted?.[i].size ?? sae?.latents ?? config.mlpSize;
    });
    this.#columns = this.#owned.use(new ColumnReader(gpu, Math.max(1, ...widest)));
    const entries = saes.map(({ activation }) => "k" in activation ? tokens * activation.k * 4 : 0);
    // The entries and one copy of them or of some columns are there while weights are on loan.
    store.reserve("activations", Math.max(3 * Math.max(0, ...entries), this.#columns.readBytes));
  }

  /**
   * Appends the latents' activations: [tokens, inputSize] goes in.
   *
   * @param slots one list per token
   */
  async readLatents(
    recorder: Recorder,
    sae: Sae,
    x: Rows,
    target: number,
    slots: readonly Slot[][],
  ): Promise<void> {
    const { activation } = sae;
    if (activation.kind === "threshold") {
      return await this.#encoder.encodeDense(
        recorder,
        sae,
        x,
        ({ values, latent, token }) =>
          this.readColumns(recorder, values, latent, target, slots.slice(token)),
      );
    }
    const { k } = activation;
    const wanted = this.#options.wanted?.[target];
    using entries = allocateEntries(this.#gpu, x.rows, k);
    await this.#encoder.encode(recorder, sae, x, entries);
    const { values, indices } = await readEntries(this.#gpu, entries, x.rows);
    for (const [slot, unit] of indices.entries()) {
      const counts = values[slot] > 0 || this.#options.zeros;
      if (!counts || (wanted && !wanted.has(unit))) continue;
      slots[Math.floor(slot / k)].push([unit, values[slot]]);
    }
  }

  /** Appends what is > 0 in the wanted columns; column 0 is the unit `first`. */
  async readColumns(
    recorder: Recorder,
    activations: Rows,
    first: number,
    target: number,
    slots: readonly Slot[][],
  ): Promise<void> {
    const wanted = this.#options.wanted?.[target];
    const columns = Uint32Array.from({ length: activations.width }, (_, column) => column)
      .filter((column) => !wanted || wanted.has(first + column));
    if (columns.length === 0) return;
    const values = await this.#columns.read(recorder, activations, columns);
    for (let row = 0; row < activations.rows; row++) {
      for (const [j, column] of columns.entries()) {
        const value = values[row * columns.length + j];
        if (value > 0) slots[row].push([first + column, value]);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
