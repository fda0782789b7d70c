/** Where features fire: their activations on given texts, token by token. */
import { ColumnReader } from "../gpu/columns.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { Rows } from "../gpu/rows.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { type BatchLimits, groupTexts, pack } from "../nn/batch.ts";
import type { Hook, Llama } from "../nn/llama.ts";
import { allocateEntries, type HostEntries, readEntries, SaeEncoder } from "../sae/encoder.ts";
import type { Sae } from "../sae/sae.ts";
import type { Target } from "../sae/target.ts";

/** One activation of a feature. */
export interface Firing {
  /** Position of the text in the list given. */
  readonly text: number;
  /** Position of the token in the text; 0 is BOS. */
  readonly token: number;
  /** > 0 */
  readonly activation: number;
}

/** Features by layer and index within it. */
export class FeatureMap<T> {
  readonly #layers = new Map<number, Map<number, T>>();

  get(layer: number, index: number): T | undefined {
    return this.#layers.get(layer)?.get(index);
  }

  set(layer: number, index: number, value: T): void {
    const features = this.#layers.get(layer) ?? new Map<number, T>();
    this.#layers.set(layer, features);
    features.set(index, value);
  }

  /** Features of one layer. */
  in(layer: number): ReadonlyMap<number, T> {
    return this.#layers.get(layer) ?? new Map();
  }
}

/**
 * Runs texts through a model and notes every activation > 0 of some features, in the order of texts
 * and tokens.
 *
 * @param targets the hookpoints the features live at
 * @param features the features wanted; only these are kept
 * @param texts tokenised
 */
export async function findFirings(
  gpu: Gpu,
  llama: Llama,
  store: WeightStore,
  targets: readonly Target[],
  features: Iterable<{ readonly layer: number; readonly index: number }>,
  texts: readonly Uint32Array[],
  limits: BatchLimits,
): Promise<FeatureMap<Firing[]>> {
  const found = new FeatureMap<Firing[]>();
  for (const { layer, index } of features) found.set(layer, index, []);
  const used = targets.filter(({ hookpoint }) => found.in(hookpoint.layer).size > 0);
  if (used.length === 0 || texts.length === 0) return found;
  llama.prepare(limits.tokens);
  using reader = new FiringReader(gpu, store, used, found, limits.tokens);
  const numbered = texts.map((ids, text) => ({ ids, text }));
  for (const group of groupTexts(numbered, limits)) {
    const places = group.flatMap(({ ids, text }) =>
      Array.from(ids, (_, token) => ({ text, token }))
    );
    const hooks = used.map(({ hookpoint, sae }): Hook => ({
      hookpoint,
      run: (recorder, activations, first) => {
        const wanted = found.in(hookpoint.layer);
        const own = places.slice(first);
        return sae
          ? reader.noteLatents(recorder, sae, activations, wanted, own)
          : reader.noteColumns(recorder, activations, 0, wanted, own);
      },
    }));
    await llama.forward(pack(group.map(({ ids }) => ids)), hooks);
    await gpu.settle();
  }
  return found;
}

type Place = Omit<Firing, "activation">;

type Wanted = ReadonlyMap<number, Firing[]>;

/** Reads wanted activations back; owns the memory that encoding and reading take. */
class FiringReader implements Disposable {
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #encoder: SaeEncoder;
  readonly #columns: ColumnReader;

  constructor(
    gpu: Gpu,
    store: WeightStore,
    targets: readonly Target[],
    features: FeatureMap<unknown>,
    tokens: number,
  ) {
    this.#gpu = gpu;
    const saes = targets.flatMap(({ sae }) => sae ?? []);
    this.#encoder = this.#owned.use(new SaeEncoder(gpu, store, saes, tokens));
    const most = Math.max(...targets.map(({ hookpoint }) => features.in(hookpoint.layer).size));
    this.#columns = this.#owned.use(new ColumnReader(gpu, most));
    const entries = saes.map(({ activation }) => "k" in activation ? tokens * activation.k * 4 : 0);
    // The entries and one copy of them or of some columns are there while weights are on loan.
    store.reserve("firings", Math.max(3 * Math.max(0, ...entries), this.#columns.readBytes));
  }

  /** Notes the activations of latents: [tokens, inputSize] goes in. */
  async noteLatents(
    recorder: Recorder,
    sae: Sae,
    x: Rows,
    wanted: Wanted,
    places: readonly Place[],
  ): Promise<void> {
    const { activation } = sae;
    if (activation.kind === "threshold") {
      return await this.#encoder.encodeDense(
        recorder,
        sae,
        x,
        ({ values, latent, token }) =>
          this.noteColumns(recorder, values, latent, wanted, places.slice(token)),
      );
    }
    using entries = allocateEntries(this.#gpu, x.rows, activation.k);
    await this.#encoder.encode(recorder, sae, x, entries);
    noteEntries(wanted, await readEntries(this.#gpu, entries, x.rows), entries.k, places);
  }

  /** Notes what is > 0 in the wanted columns; column 0 is the unit `first`. */
  async noteColumns(
    recorder: Recorder,
    activations: Rows,
    first: number,
    wanted: Wanted,
    places: readonly Place[],
  ): Promise<void> {
    const columns = [...wanted.keys()].map((index) => index - first)
      .filter((column) => column >= 0 && column < activations.width);
    const values = await this.#columns.read(recorder, activations, Uint32Array.from(columns));
    for (const [j, column] of columns.entries()) {
      const firings = wanted.get(first + column);
      for (let row = 0; row < activations.rows; row++) {
        const activation = values[row * columns.length + j];
        if (activation > 0) firings?.push({ ...places[row], activation });
      }
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

function noteEntries(
  wanted: Wanted,
  { values, indices }: HostEntries,
  k: number,
  places: readonly Place[],
): void {
  for (const [slot, index] of indices.entries()) {
    if (values[slot] > 0) {
      wanted.get(index)?.push({ ...places[Math.floor(slot / k)], activation: values[slot] });
    }
  }
}
