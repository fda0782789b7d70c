/** Where features fire: their activations on given texts, token by token. */
import type { Target } from "../sae/target.ts";
import { readActivations, type Reader } from "./activations.ts";

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
 * @param read told the tokens of each text that is done
 */
export async function findFirings(
  reader: Reader,
  targets: readonly Target[],
  features: Iterable<{ readonly layer: number; readonly index: number }>,
  texts: readonly { readonly ids: Uint32Array }[],
  read: (tokens: number) => void = () => {},
): Promise<FeatureMap<Firing[]>> {
  const found = new FeatureMap<Firing[]>();
  for (const { layer, index } of features) found.set(layer, index, []);
  const used = targets.filter(({ hookpoint }) => found.in(hookpoint.layer).size > 0);
  if (used.length === 0 || texts.length === 0) return found;
  const wanted = used.map(({ hookpoint }) => new Set(found.in(hookpoint.layer).keys()));
  for await (const { text, targets } of readActivations(reader, used, texts, { wanted })) {
    for (const [i, { offsets, units, values }] of targets.entries()) {
      const firings = found.in(used[i].hookpoint.layer);
      for (let token = 0; token + 1 < offsets.length; token++) {
        for (let slot = offsets[token]; slot < offsets[token + 1]; slot++) {
          firings.get(units[slot])?.push({ text, token, activation: values[slot] });
        }
      }
    }
    read(texts[text].ids.length);
  }
  return found;
}
