/**
 * Controls of interventions: the same sizes in other directions. What a language's own features do beyond
 * their control is due to which features they are, not to how much is added.
 */
import { InputError } from "../formats/input_error.ts";
import type { LapeFeature } from "../lape/lape_json.ts";
import { sample, seededRandom } from "../stats/random.ts";

/**
 * For every feature of a language another latent (or neuron) of its layer, drawn without replacement from
 * those that are not the language's own; with the feature's activations, so that coefficients are the same.
 *
 * @param widthOfLayer latents (or neurons) of a layer
 * @param seed whole numbers; all of them count
 * @returns in the order of the features; entropy and probability are not known: NaN
 * @throws InputError for a layer with more of the language's features than others
 */
export function randomControl(
  features: readonly LapeFeature[],
  widthOfLayer: (layer: number) => number,
  ...seed: readonly number[]
): LapeFeature[] {
  const drawn = new Map<LapeFeature, number>();
  for (const layer of new Set(features.map((feature) => feature.layer))) {
    const own = features.filter((feature) => feature.layer === layer);
    const others = indicesBesides(own, widthOfLayer(layer));
    if (others.length < own.length) {
      throw new InputError(
        `${own.length} of layer ${layer}'s ${
          widthOfLayer(layer)
        } latents or neurons are one language's ` +
          `own, too many for a control of as many others: leave --control out.`,
      );
    }
    const chosen = sample(seededRandom(...seed, layer), others.length, own.length);
    own.forEach((feature, i) => drawn.set(feature, others[chosen[i]]));
  }
  return features.map((feature) => ({
    ...feature,
    index: drawn.get(feature) ?? feature.index,
    entropy: NaN,
    probability: NaN,
  }));
}

function indicesBesides(features: readonly LapeFeature[], width: number): number[] {
  const own = new Set(features.map(({ index }) => index));
  return Array.from({ length: width }, (_, index) => index).filter((index) => !own.has(index));
}
