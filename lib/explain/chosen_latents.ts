/** Which latents are explained, and which random ones they are compared with. */
import { InputError } from "../formats/input_error.ts";
import type { LapeResult } from "../lape/lape_json.ts";
import type { Target } from "../sae/target.ts";
import { sample, seededRandom } from "../stats/random.ts";
import type { LatentName } from "../interpret/example.ts";
import type { ChosenLatent } from "../interpret/results/found.ts";

/** Latents of one hookpoint. */
export interface HookpointLatents {
  readonly hookpoint: string;
  readonly layer: number;
  /** Width of the SAE. */
  readonly latents: number;
  /** Those identified for a language, ascending (B.3). */
  readonly identified: readonly ChosenLatent[];
}

/**
 * The latents identified for any language, hookpoint by hookpoint (B.3: the sorted union over
 * languages).
 *
 * @param targets hookpoints with SAEs, in the order of the pass
 * @param most of each hookpoint
 * @throws InputError for a latent that the SAE has not, or when none lies at these hookpoints
 */
export function identifiedLatents(
  { languages, features }: LapeResult,
  targets: readonly Target[],
  most = Infinity,
): HookpointLatents[] {
  const chosen = targets.flatMap(({ hookpoint: { name: hookpoint, layer }, sae }) => {
    if (!sae) return [];
    const byIndex = new Map<number, string[]>();
    languages.forEach((language, g) => {
      for (const { index } of features[g].filter((feature) => feature.layer === layer)) {
        byIndex.set(index, [...byIndex.get(index) ?? [], language]);
      }
    });
    const identified = [...byIndex]
      .map(([index, languages]) => ({ hookpoint, layer, index, languages }))
      .sort((a, b) => a.index - b.index)
      .slice(0, most);
    const beyond = identified.find(({ index }) => index >= sae.latents);
    if (beyond) throw unknownLatent(beyond, sae.latents);
    return [{ hookpoint, layer, latents: sae.latents, identified }];
  });
  if (chosen.some(({ identified }) => identified.length > 0)) return chosen;
  throw new InputError(
    `No feature was identified at ${targets.map(({ hookpoint }) => hookpoint.name).join(", ")}, ` +
      `expected at least one to explain; name other hookpoints with --layer or another file with ` +
      `--lape-result-path.`,
  );
}

function unknownLatent({ hookpoint, index }: LatentName, latents: number): InputError {
  return new InputError(
    `The features name latent ${index} of ${hookpoint}, but its SAE has ${latents}; give the SAEs ` +
      `that they were identified in.`,
  );
}

/** Candidates per control that is wanted: most latents of a wide SAE fire too seldom to be explained. */
const CANDIDATES_PER_CONTROL = 8;

/**
 * Latents drawn at random from those that were not identified, in the order in which they are to be
 * tried: as many times the identified ones as it takes to find enough that fire often.
 *
 * @param seed with the layer it decides what is drawn, whatever the other layers are
 */
export function controlCandidates(
  { hookpoint, layer, latents, identified }: HookpointLatents,
  excluded: ReadonlySet<number>,
  seed: number,
): ChosenLatent[] {
  const others = Array.from({ length: latents }, (_, index) => index)
    .filter((index) => !excluded.has(index));
  const size = Math.min(others.length, CANDIDATES_PER_CONTROL * identified.length);
  return sample(seededRandom(seed, layer), others.length, size)
    .map((at) => ({ hookpoint, layer, index: others[at], languages: [] }));
}

/** All latents of one layer that were identified for a language, whether they are explained or not. */
export function identifiedIndices({ features }: LapeResult, layer: number): Set<number> {
  return new Set(
    features.flat().filter((feature) => feature.layer === layer).map(({ index }) => index),
  );
}

/** Latents by their hookpoint. */
export function byHookpoint(latents: Iterable<LatentName>): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const { hookpoint, index } of latents) {
    found.set(hookpoint, (found.get(hookpoint) ?? new Set()).add(index));
  }
  return found;
}
