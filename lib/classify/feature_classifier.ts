/** Features of languages at the hookpoints of a model, ready to score texts. */
import type { LapeResult } from "../lape/lape_json.ts";
import type { Target } from "../sae/target.ts";
import { checkFeatures, featureCounts, featuresInLayer, type LayerFeatures } from "./scores.ts";

/** The features of some languages, of latents or of neurons. */
export interface FeatureClassifier {
  /** Qualified names, alphabetical. */
  readonly languages: readonly string[];
  /** Hookpoints that have features, in the order of the pass. */
  readonly targets: readonly Target[];
  /** Features at each of them. */
  readonly layers: readonly LayerFeatures[];
  /** Features of each language at all of them. */
  readonly features: readonly number[];
}

/**
 * The features of a result at the hookpoints that are looked at; other hookpoints need not be run.
 *
 * @param neurons neurons per layer of the model
 * @param where names the result in messages
 * @throws InputError for a result that does not fit the model, or has no feature there
 */
export function featureClassifier(
  result: LapeResult,
  targets: readonly Target[],
  neurons: number,
  where: string,
): FeatureClassifier {
  const widths = targets.map(({ hookpoint, sae }) =>
    [hookpoint.layer, sae?.latents ?? neurons] as const
  );
  checkFeatures(result, new Map(widths), where);
  const used = targets
    .map((target) => ({ target, layer: featuresInLayer(result, target.hookpoint.layer) }))
    .filter(({ layer }) => layer.size > 0);
  const layers = used.map(({ layer }) => layer);
  return {
    languages: result.languages,
    targets: used.map(({ target }) => target),
    layers,
    features: featureCounts(result.languages.length, layers),
  };
}

/** Units of each target that are features: what has to be read of the activations. */
export function wantedUnits({ layers }: FeatureClassifier): ReadonlySet<number>[] {
  return layers.map((layer) => new Set(layer.keys()));
}
