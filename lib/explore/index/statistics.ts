/** Numbers of latents from counts. */
import type { DocumentGroup } from "../../lape/document_groups.ts";
import { documentGroups } from "../../lape/document_groups.ts";
import { entropyBootstrap } from "../../lape/bootstrap_entropy.ts";
import { activationProbabilities, entropy } from "../../lape/entropy.ts";
import { activationRange, type PooledCounts } from "../../lape/pool.ts";
import type { Interval } from "../../stats/bootstrap.ts";
import { STATISTICS } from "./schema.ts";

/** Numbers of one latent. */
export interface LatentStatistics {
  /** [languages][STATISTICS] */
  readonly values: Float32Array<ArrayBuffer>;
  /** In nats; null where it never fires. */
  readonly entropy: number | null;
  readonly entropyInterval: readonly [low: number, high: number] | null;
  /** Position of the language in which it fires most often; null where it never fires. */
  readonly strongest: number | null;
  /** Activation probability there. */
  readonly probability: number;
  /** Largest activation over all languages. */
  readonly max: number;
}

/** How intervals are made: as identify made its own. */
export interface IntervalOptions {
  /** 0 for none. */
  readonly bootstrap: number;
  readonly seed: number;
}

/**
 * Computes numbers of latents.
 *
 * @returns of a latent by its id; with intervals (95 %, over documents) where they are asked for
 */
export function latentStatistics(
  pooled: PooledCounts,
  { bootstrap, seed }: IntervalOptions,
): (id: number, intervals: boolean) => LatentStatistics {
  const { byLanguage, languages } = pooled;
  const groups: readonly DocumentGroup[] | undefined = documentGroups(pooled);
  const every = languages.map((_, g) => g);
  const intervalsOf = groups && bootstrap > 0
    ? entropyBootstrap(groups, languages.length, { replicates: bootstrap, seed })
    : undefined;
  return (id, asked) => {
    const probabilities = activationProbabilities(pooled, id);
    const intervals = asked ? intervalsOf?.(id, every) : undefined;
    const values = new Float32Array(languages.length * STATISTICS.length).fill(NaN);
    every.forEach((g) => {
      const { low, high } = intervals?.probabilities[g] ?? { low: NaN, high: NaN };
      const { max, avg } = activationRange([byLanguage[g]], id);
      const mean = Number.isNaN(avg) ? 0 : avg;
      values.set([probabilities[g], low, high, mean, max], g * STATISTICS.length);
    });
    const probability = Math.max(...probabilities);
    const fires = probability > 0;
    return {
      values,
      probability,
      entropy: fires ? entropy(probabilities) : null,
      entropyInterval: pairOf(intervals?.entropy),
      strongest: fires ? probabilities.indexOf(probability) : null,
      max: Math.max(...byLanguage.map(({ max }) => max[id])),
    };
  };
}

function pairOf(interval: Interval | undefined): readonly [number, number] | null {
  return interval && !Number.isNaN(interval.low) ? [interval.low, interval.high] : null;
}
