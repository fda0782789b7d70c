/** Where features fire: their activations on given texts, token by token. */
import type { Gpu } from "../gpu/device.ts";
import { readRows } from "../gpu/rows.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { type BatchLimits, groupTexts, pack } from "../nn/batch.ts";
import type { Hook, Llama } from "../nn/llama.ts";
import { keptPerToken } from "../sae/sae.ts";
import { allocateEntries, type HostEntries, readEntries, SaeEncoder } from "../sae/encoder.ts";
import type { Target } from "../count/counter.ts";

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
  const { sae } = used[0];
  using owned = new DisposableStack();
  const encoder = sae && owned.use(new SaeEncoder(gpu, store, sae, limits.tokens));
  const entries = sae && owned.use(allocateEntries(gpu, limits.tokens, keptPerToken(sae)));
  const numbered = texts.map((ids, text) => ({ ids, text }));
  for (const group of groupTexts(numbered, limits)) {
    const places = group.flatMap(({ ids, text }) =>
      Array.from(ids, (_, token) => ({ text, token }))
    );
    const hooks: Hook[] = used.map(({ hookpoint, sae }) => ({
      hookpoint,
      async run(recorder, activations, first) {
        const wanted = found.in(hookpoint.layer);
        if (sae && encoder && entries) {
          await encoder.encode(recorder, sae, activations, entries);
          noteEntries(wanted, await readEntries(gpu, entries, activations.rows), entries.k, places);
        } else {
          recorder.submit();
          noteNeurons(
            wanted,
            await readRows(gpu, activations),
            activations.width,
            places.slice(first),
          );
        }
      },
    }));
    await llama.forward(pack(group.map(({ ids }) => ids)), hooks);
    await gpu.settle();
  }
  return found;
}

type Place = Omit<Firing, "activation">;

function noteEntries(
  wanted: ReadonlyMap<number, Firing[]>,
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

function noteNeurons(
  wanted: ReadonlyMap<number, Firing[]>,
  activations: Float32Array,
  width: number,
  places: readonly Place[],
): void {
  for (let row = 0; row * width < activations.length; row++) {
    for (const [index, firings] of wanted) {
      const activation = activations[row * width + index];
      if (activation > 0) firings.push({ ...places[row], activation });
    }
  }
}
