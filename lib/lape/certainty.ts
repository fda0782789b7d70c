/** How sure an identification is of its features: intervals and q-values from groups of documents. */
import { entropyBootstrap, type EntropyInterval } from "./bootstrap_entropy.ts";
import { documentGroups } from "./document_groups.ts";
import { type Identification, positionOf } from "./identification.ts";
import { type PermutationTest, permutationTest } from "./permutation.ts";
import type { PooledCounts } from "./pool.ts";

/** What is computed; 0 leaves a part out. */
export interface CertaintyOptions {
  /** Resamples of the bootstrap. */
  readonly bootstrap: number;
  /** Permutations of the test. */
  readonly permutations: number;
  readonly seed: number;
  /** Told how far a part is; may let other work go on. */
  readonly progressed?: (
    part: "bootstrap" | "permutations",
    done: number,
    total: number,
  ) => Promise<void> | void;
}

/** What is known of a feature in a language; undefined what was left out, NaN what cannot be told. */
export interface FeatureCertainty {
  readonly entropyLow?: number;
  readonly entropyHigh?: number;
  readonly entropyBias?: number;
  readonly probabilityLow?: number;
  readonly probabilityHigh?: number;
  readonly pValue?: number;
  readonly qValue?: number;
}

/** Certainty of all features. */
export interface Certainty {
  /** Groups of documents, all languages together. */
  readonly groups: number;
  /** The test of all units; absent where it was left out. */
  readonly test?: PermutationTest;
  /** `[languages][features]`, as the features are. */
  readonly features: readonly (readonly FeatureCertainty[])[];
}

/**
 * Intervals of every feature, and its p and q among all units that fired.
 *
 * @returns undefined where counts keep no groups of documents
 */
export async function certaintyOf(
  pooled: PooledCounts,
  identification: Identification,
  { bootstrap, permutations, seed, progressed }: CertaintyOptions,
): Promise<Certainty | undefined> {
  const groups = documentGroups(pooled);
  if (!groups) return undefined;
  const languages = pooled.languages.length;
  const units = pooled.layers.length * pooled.width;
  const owned = ownedUnits(pooled, identification);
  const intervals = new Map<number, OwnedIntervals>();
  if (bootstrap > 0) {
    const intervalOf = entropyBootstrap(groups, languages, { replicates: bootstrap, seed });
    for (const [unit, owners] of owned) {
      intervals.set(unit, { owners, ...intervalOf(unit, owners) });
      await progressed?.("bootstrap", intervals.size, owned.size);
    }
  }
  const test = permutations === 0 ? undefined : await permutationTest(groups, languages, units, {
    permutations,
    seed,
    progressed: (done) => progressed?.("permutations", done, units),
  });
  return {
    groups: groups.length,
    test,
    features: identification.features.map((features, g) =>
      features.map((feature) => {
        const unit = positionOf(pooled, feature);
        return {
          ...flattened(intervals.get(unit), g),
          pValue: test?.pValues[unit],
          qValue: test?.qValues[unit],
        };
      })
    ),
  };
}

/** Units whose q-value is below a bar. */
export interface Findings {
  /** Distinct features among them. */
  readonly features: number;
  /** All of them. Most units know languages apart somehow; belonging to one is another matter. */
  readonly units: number;
}

/** How many features, and how many units at all, have a q-value below a bar. */
export function findingsBelow(
  bar: number,
  { features }: Identification,
  certain: readonly (readonly FeatureCertainty[])[],
  { qValues }: PermutationTest,
): Findings {
  const found = features.flatMap((list, g) =>
    list.filter((_, i) => (certain[g][i].qValue ?? NaN) < bar)
  );
  return {
    features: new Set(found.map(({ layer, index }) => `${layer}/${index}`)).size,
    units: qValues.reduce((sum, q) => sum + (q < bar ? 1 : 0), 0),
  };
}

/** Intervals of a unit, probabilities in the order of `owners`. */
interface OwnedIntervals extends EntropyInterval {
  readonly owners: readonly number[];
}

function flattened(interval: OwnedIntervals | undefined, language: number): FeatureCertainty {
  if (!interval) return {};
  const { entropy, bias, probabilities, owners } = interval;
  const probability = probabilities[owners.indexOf(language)];
  return {
    entropyLow: entropy.low,
    entropyHigh: entropy.high,
    entropyBias: bias,
    probabilityLow: probability.low,
    probabilityHigh: probability.high,
  };
}

/** The units that are features, and the languages whose features they are. */
function ownedUnits(pooled: PooledCounts, { features }: Identification): Map<number, number[]> {
  const owned = new Map<number, number[]>();
  features.forEach((list, g) => {
    for (const feature of list) {
      const unit = positionOf(pooled, feature);
      owned.set(unit, [...owned.get(unit) ?? [], g]);
    }
  });
  return owned;
}
