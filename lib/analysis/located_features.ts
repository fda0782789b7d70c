/** Features of a LAPE file at the hookpoints that are open. */
import { remark } from "../cli/output.ts";
import { InputError } from "../formats/input_error.ts";
import type { IdentifiedFeatures } from "../identify/lape_result.ts";
import type { LapeFeature } from "../lape/lape_json.ts";
import type { Subject } from "../subject/subject.ts";

/** A feature and where it lives. */
export interface LocatedFeature extends Pick<LapeFeature, "layer" | "index"> {
  /** Position of its hookpoint among the subject's targets. */
  readonly target: number;
}

/** A language's features, sorted by (layer, index). */
export interface LanguageFeatures {
  readonly language: string;
  readonly features: readonly LocatedFeature[];
}

/**
 * Languages that have features, in the order of the file. Features of layers that are not open are
 * left out, which is said.
 *
 * @throws InputError when that leaves none, or for features that the SAEs do not have
 */
export function locateFeatures(
  { result, path }: IdentifiedFeatures,
  { targets, config }: Pick<Subject, "targets" | "config">,
): LanguageFeatures[] {
  const places = new Map(targets.map(({ hookpoint }, i) => [hookpoint.layer, i]));
  const located = result.languages.map((language, g) => ({
    language,
    features: result.features[g].flatMap(({ layer, index }): LocatedFeature[] => {
      const target = places.get(layer);
      return target === undefined ? [] : [{ layer, index, target }];
    }),
  })).filter(({ features }) => features.length > 0);
  if (located.length === 0) {
    throw new InputError(
      `${path} has no features in ${
        targets.map(({ hookpoint }) => hookpoint.name).join(", ")
      }: name its layers with --layer, or the file of this model with --lape-result-path.`,
    );
  }
  for (const { index, target } of located.flatMap(({ features }) => features)) {
    const { hookpoint, sae } = targets[target];
    const units = sae?.latents ?? config.mlpSize;
    if (index < units) continue;
    throw new InputError(
      `${path} names L${hookpoint.layer}/${index}, but ${hookpoint.name} has ${units} ` +
        `${sae ? "latents" : "neurons"}: give the SAEs that the features were found in.`,
    );
  }
  const count = (lists: readonly (readonly unknown[])[]) => lists.flat().length;
  const left = count(result.features) - count(located.map(({ features }) => features));
  if (left > 0) remark(`Left out, since their layers are not open: ${left} features of ${path}.`);
  return located;
}

/** Each feature once, by (layer, index), however many languages own it. */
export function distinctFeatures(languages: readonly LanguageFeatures[]): LocatedFeature[] {
  const byName = new Map(
    languages.flatMap(({ features }) => features.map((feature) => [nameOf(feature), feature])),
  );
  return [...byName.values()].sort((a, b) => a.layer - b.layer || a.index - b.index);
}

/** A feature as tables and pages write it: `L3/1024`. */
export function nameOf({ layer, index }: Pick<LapeFeature, "layer" | "index">): string {
  return `L${layer}/${index}`;
}
