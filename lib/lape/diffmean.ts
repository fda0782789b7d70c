/**
 * DiffMean: per language and layer the mean of the model's activation vectors in it, less that in
 * other languages. It needs no SAE; where it does as well as features do, they add nothing (AxBench,
 * arXiv 2501.17148).
 */
import { meanOf } from "./monolinguality.ts";
import type { PooledCounts } from "./pool.ts";

/** Difference vectors of all languages and layers. */
export interface DiffMean {
  /** Qualified names, alphabetical; languages without texts are left out. */
  readonly languages: readonly string[];
  /** Absolute layer numbers. */
  readonly layers: readonly number[];
  /** Length of a vector. */
  readonly width: number;
  /** `[languages, layers, width]`. */
  readonly mean: Float32Array<ArrayBuffer>;
  /** Mean of the languages' means, `[layers, width]`: with it, where each language's own mean lies. */
  readonly centre: Float32Array<ArrayBuffer>;
}

/**
 * Mean activation over a language's tokens, less the mean of the other languages' means.
 *
 * @returns undefined where activations were not summed, or fewer than two languages have texts
 */
export function diffMean({ languages, layers, byLanguage }: PooledCounts): DiffMean | undefined {
  const means: Float64Array[] = [];
  const named: string[] = [];
  for (const [g, { tokens, activations }] of byLanguage.entries()) {
    if (tokens === 0) continue;
    if (!activations) return undefined;
    means.push(Float64Array.from(activations.sum, (sum) => meanOf(sum, tokens)));
    named.push(languages[g]);
  }
  if (means.length < 2) return undefined;
  const size = means[0].length;
  const total = new Float64Array(size);
  for (const mean of means) for (let i = 0; i < size; i++) total[i] += mean[i];
  const mean = new Float32Array(means.length * size);
  means.forEach((own, g) => {
    for (let i = 0; i < size; i++) {
      mean[g * size + i] = own[i] - (total[i] - own[i]) / (means.length - 1);
    }
  });
  const centre = Float32Array.from(total, (sum) => sum / means.length);
  return { languages: named, layers, width: size / layers.length, mean, centre };
}
