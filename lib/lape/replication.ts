/** What of an identification is found again in other texts. */
import { InputError } from "../formats/input_error.ts";
import { spearman } from "../stats/correlation.ts";
import { activationProbabilities, entropy } from "./entropy.ts";
import { type Feature, type Identification, positionOf } from "./identification.ts";
import type { PooledCounts } from "./pool.ts";

/** An identification and the counts it follows from. */
export interface IdentifiedCounts {
  readonly pooled: PooledCounts;
  readonly identification: Identification;
}

/** How two identifications agree; NaN where there is nothing to compare. */
export interface Agreement {
  /** Features found in the first texts, in the second, in both. */
  readonly first: number;
  readonly second: number;
  readonly both: number;
  /** Features in both over features in either. */
  readonly jaccard: number;
  /** The same for the `top` features of lowest entropy of each. */
  readonly jaccardTop: number;
  /**
   * Spearman's rank correlation of the entropies in the two texts, over units that are candidates in
   * either (for one language: that belong to it in either) and fire in both.
   */
  readonly correlation: number;
  /**
   * Share of the first texts' features whose strongest language, the one of highest activation
   * probability, is the same in the second texts, whether or not they are features there.
   */
  readonly sameOwner: number;
}

/** Agreement per language and over all. */
export interface Replication {
  /** How many features `jaccardTop` compares per language. */
  readonly top: number;
  /** In the order of the languages of the first. */
  readonly languages: readonly (Agreement & { readonly language: string })[];
  /** Pairs of a language and a feature, over all languages. */
  readonly all: Agreement;
}

/**
 * Compares an identification with that of other texts.
 *
 * @throws {InputError} the two are not of the same languages: entropies over other languages cannot be
 *   compared
 */
export function replicate(
  first: IdentifiedCounts,
  second: IdentifiedCounts,
  top = 10,
): Replication {
  const languages = first.pooled.languages;
  checkSameLanguages(languages, second.pooled.languages);
  const compared = languages.map((_, g) => compare(first, second, g, top));
  const candidates = distinctUnits(
    [first, second].flatMap(({ pooled, identification }) =>
      identification.candidates.map((candidate) => positionOf(pooled, candidate))
    ),
  );
  return {
    top,
    languages: compared.map((comparison, g) => ({
      language: languages[g],
      ...agreement([comparison], correlationOf(first, second, ownedUnits(first, second, g))),
    })),
    all: agreement(compared, correlationOf(first, second, candidates)),
  };
}

/**
 * Refuses texts of other languages.
 *
 * @throws {InputError} the names differ
 */
export function checkSameLanguages(first: readonly string[], second: readonly string[]): void {
  const missing = first.filter((language) => !second.includes(language));
  const added = second.filter((language) => !first.includes(language));
  if (missing.length === 0 && added.length === 0) return;
  const differences = [
    missing.length > 0 ? `lacks ${missing.join(", ")}` : "",
    added.length > 0 ? `has ${added.join(", ")} besides` : "",
  ];
  throw new InputError(
    `The texts of --replicate differ in languages from those of --dataset-configs (it ` +
      `${differences.filter(Boolean).join(" and ")}), expected the same ones: name texts of each.`,
  );
}

/** How many features of a language there are of each kind. */
interface Comparison {
  readonly first: number;
  readonly second: number;
  readonly both: number;
  readonly topBoth: number;
  readonly topEither: number;
  readonly sameOwner: number;
}

function compare(
  first: IdentifiedCounts,
  second: IdentifiedCounts,
  language: number,
  top: number,
): Comparison {
  const [ours, theirs] = [first, second].map(({ identification }) =>
    identification.features[language].toSorted((a, b) => a.rank - b.rank)
  );
  const { both } = overlap(ours, theirs);
  const strongest = overlap(ours.slice(0, top), theirs.slice(0, top));
  return {
    first: ours.length,
    second: theirs.length,
    both,
    topBoth: strongest.both,
    topEither: strongest.either,
    sameOwner:
      ours.filter((feature) =>
        strongestLanguage(first.pooled, feature) === strongestLanguage(second.pooled, feature)
      ).length,
  };
}

function overlap(a: readonly Feature[], b: readonly Feature[]) {
  const names = new Set(b.map(nameOf));
  const both = a.filter((feature) => names.has(nameOf(feature))).length;
  return { both, either: a.length + b.length - both };
}

function agreement(comparisons: readonly Comparison[], correlation: number): Agreement {
  const total = (key: keyof Comparison) => comparisons.reduce((sum, one) => sum + one[key], 0);
  const [first, second, both] = [total("first"), total("second"), total("both")];
  return {
    first,
    second,
    both,
    jaccard: both / (first + second - both),
    jaccardTop: total("topBoth") / total("topEither"),
    correlation,
    sameOwner: total("sameOwner") / first,
  };
}

function correlationOf(
  first: IdentifiedCounts,
  second: IdentifiedCounts,
  units: readonly number[],
): number {
  const pairs = units
    .map((unit) => [entropyOf(first.pooled, unit), entropyOf(second.pooled, unit)])
    .filter((pair) => !pair.some(Number.isNaN));
  return spearman(pairs.map(([ours]) => ours), pairs.map(([, theirs]) => theirs));
}

/** Units that belong to a language in either. */
function ownedUnits(
  first: IdentifiedCounts,
  second: IdentifiedCounts,
  language: number,
): number[] {
  return distinctUnits(
    [first, second].flatMap(({ pooled, identification }) =>
      identification.features[language].map((feature) => positionOf(pooled, feature))
    ),
  );
}

/** Entropy of a unit; NaN where it never fired. */
function entropyOf(pooled: PooledCounts, unit: number): number {
  const probabilities = activationProbabilities(pooled, unit);
  return probabilities.some((p) => p > 0) ? entropy(probabilities) : NaN;
}

/** The language of highest probability; undefined where the unit never fired. */
function strongestLanguage(pooled: PooledCounts, feature: Feature): number | undefined {
  const probabilities = activationProbabilities(pooled, positionOf(pooled, feature));
  const highest = Math.max(...probabilities);
  return highest > 0 ? probabilities.indexOf(highest) : undefined;
}

function distinctUnits(units: readonly number[]): number[] {
  return [...new Set(units)].sort((a, b) => a - b);
}

function nameOf({ layer, index }: Feature): string {
  return `${layer}/${index}`;
}
