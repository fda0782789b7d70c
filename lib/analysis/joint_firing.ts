/** On which tokens two latents fire, each and together. */
import type { SparseActivations } from "../interpret/activations.ts";

/** Two latents of one hookpoint. */
export interface LatentPair {
  readonly target: number;
  readonly feature: number;
  readonly opposing: number;
}

/** Counts of the pairs, in their order; parts of texts add up. */
export interface JointFiring {
  /** Tokens that the feature fires on. */
  readonly feature: number[];
  /** Tokens that the opposing latent fires on. */
  readonly opposing: number[];
  /** Tokens that both fire on: how often each token id. */
  readonly both: Map<number, number>[];
}

/** No tokens at all. */
export function noFiring(pairs: readonly LatentPair[]): JointFiring {
  return {
    feature: pairs.map(() => 0),
    opposing: pairs.map(() => 0),
    both: pairs.map(() => new Map<number, number>()),
  };
}

/**
 * Adds a text's firings to the counts.
 *
 * @param byUnit places of the pairs that a unit belongs to, per target
 * @param ids of the text's tokens
 * @param activations of the text, in the order of the targets
 */
export function addFirings(
  counts: JointFiring,
  pairs: readonly LatentPair[],
  byUnit: readonly ReadonlyMap<number, readonly number[]>[],
  ids: Uint32Array,
  activations: readonly SparseActivations[],
): void {
  for (const [target, { offsets, units }] of activations.entries()) {
    for (let token = 0; token + 1 < offsets.length; token++) {
      const fired = new Set(units.subarray(offsets[token], offsets[token + 1]));
      const touched = new Set([...fired].flatMap((unit) => byUnit[target].get(unit) ?? []));
      for (const place of touched) {
        const [feature, opposing] = [
          fired.has(pairs[place].feature),
          fired.has(pairs[place].opposing),
        ];
        if (feature) counts.feature[place]++;
        if (opposing) counts.opposing[place]++;
        if (feature && opposing) addOne(counts.both[place], ids[token]);
      }
    }
  }
}

/** Places of the pairs that each unit belongs to, per target. */
export function pairsByUnit(
  pairs: readonly LatentPair[],
  targets: number,
): Map<number, number[]>[] {
  const byUnit = Array.from({ length: targets }, () => new Map<number, number[]>());
  for (const [place, { target, feature, opposing }] of pairs.entries()) {
    for (const unit of new Set([feature, opposing])) {
      byUnit[target].set(unit, [...byUnit[target].get(unit) ?? [], place]);
    }
  }
  return byUnit;
}

/** Adds the counts of one part of the texts to another's. */
export function addCounts(counts: JointFiring, part: JointFiring): void {
  part.feature.forEach((count, place) => counts.feature[place] += count);
  part.opposing.forEach((count, place) => counts.opposing[place] += count);
  part.both.forEach((tokens, place) => {
    for (const [token, count] of tokens) addOne(counts.both[place], token, count);
  });
}

function addOne(counts: Map<number, number>, token: number, count = 1): void {
  counts.set(token, (counts.get(token) ?? 0) + count);
}
