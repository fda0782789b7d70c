/** What a text's activations say, as the explorer shows it. */
import type { Tried } from "../explore/backend.ts";
import type { SparseActivations } from "../interpret/activations.ts";
import type { Target } from "../sae/target.ts";
import type { SiteFeature } from "./engine_files.ts";

/**
 * The features that fire, those of most activation first, and each language's share of their
 * activations, every feature's divided by its largest.
 *
 * @param tokens texts of the tokens
 * @param activations at the targets
 */
export function triedOf(
  tokens: readonly string[],
  features: readonly SiteFeature[],
  targets: readonly Target[],
  activations: readonly SparseActivations[],
): Tried {
  const known = new Map(features.map((feature) => [keyOf(feature.layer, feature.index), feature]));
  const found = new Map<SiteFeature, number[]>();
  activations.forEach(({ offsets, units, values }, target) => {
    const { layer } = targets[target].hookpoint;
    for (let token = 0; token < tokens.length; token++) {
      for (let slot = offsets[token]; slot < offsets[token + 1]; slot++) {
        const feature = known.get(keyOf(layer, units[slot]));
        if (!feature) continue;
        const row = found.get(feature) ?? new Array<number>(tokens.length).fill(0);
        found.set(feature, row);
        row[token] = values[slot];
      }
    }
  });
  const fired = [...found].map(([{ layer, index, languages }, row]) => ({
    ...{ layer, index, languages, activations: row },
  })).sort((a, b) =>
    sum(b.activations) - sum(a.activations) || a.layer - b.layer || a.index - b.index
  );
  return { tokens, fired, languages: shares(found) };
}

function shares(found: ReadonlyMap<SiteFeature, readonly number[]>): Tried["languages"] {
  const scores = new Map<string, number>();
  for (const [{ languages, max }, row] of found) {
    for (const language of languages) {
      scores.set(language, (scores.get(language) ?? 0) + sum(row) / max);
    }
  }
  const total = sum([...scores.values()]);
  return [...scores].map(([language, score]) => ({ language, score: score / total }))
    .sort((a, b) => b.score - a.score);
}

function keyOf(layer: number, index: number): string {
  return `${layer}/${index}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
