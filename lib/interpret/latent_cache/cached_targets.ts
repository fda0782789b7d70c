/** The hookpoints of a pass, and what of them is wanted. */
import { InputError } from "../../formats/input_error.ts";
import type { Target } from "../../sae/target.ts";
import type { CacheOptions } from "./cache_options.ts";
import { type LatentRange, splitRanges } from "./splits.ts";

/** A hookpoint of the pass. */
export interface CachedTarget {
  readonly target: Target;
  readonly name: string;
  /** Of its SAE. */
  readonly width: number;
  /** Latents to keep, ascending; all, if not given. */
  readonly wanted: readonly number[] | undefined;
  readonly ranges: readonly LatentRange[];
}

/**
 * The hookpoints of which some latents are wanted, or all.
 *
 * @throws InputError for a latent that the SAE does not have
 */
export function cachedTargets(
  targets: readonly Target[],
  { wanted, nSplits }: CacheOptions,
): CachedTarget[] {
  return targets.flatMap((target) => {
    const { hookpoint: { name }, sae } = target;
    if (!sae) throw new RangeError(`${name} has no SAE`);
    const kept = wanted && [...wanted.get(name) ?? []].sort((a, b) => a - b);
    if (kept?.length === 0) return [];
    const beyond = kept?.find((latent) => latent >= sae.latents);
    if (beyond !== undefined) {
      throw new InputError(
        `Latent ${beyond} of ${name} is asked for, but ${sae.where} has ${sae.latents} latents; ` +
          `name features of this SAE.`,
      );
    }
    const ranges = splitRanges(sae.latents, nSplits);
    return { target, name, width: sae.latents, wanted: kept, ranges };
  });
}
