/** Counts of several data sets, pooled by language: the input of every identification rule. */
import { type Counts, SUM_FRACTION_BITS } from "../formats/counts.ts";
import { InputError } from "../formats/input_error.ts";
import { mergeCounts, sameShape, shapeOf } from "./counts.ts";

const SUM_UNIT = 2 ** -SUM_FRACTION_BITS;

/** Counts of one data set in one language. */
export interface PoolEntry {
  /** Qualified language name, e.g. "Bulgarian": the key under which data sets are pooled. */
  readonly language: string;
  readonly counts: Counts;
}

/** All languages of one identification, over the same layers and width. */
export interface PooledCounts {
  /** Qualified names, alphabetical: `sorted_lang` of the original. */
  readonly languages: readonly string[];
  readonly layers: readonly number[];
  readonly width: number;
  /** One per language, in the order of `languages`; arrays `[layers.length * width]`. */
  readonly byLanguage: readonly Readonly<Counts>[];
}

/** Activation values of one latent. */
export interface ActivationRange {
  readonly max: number;
  /** +Infinity where the latent never fired. */
  readonly min: number;
  /** Sum over number of fired tokens; NaN where the latent never fired. */
  readonly avg: number;
}

/**
 * Pools data sets by language (spec 6.1): sums add, max and min compare, languages in alphabetical
 * order. For the published, rounded max and min pass each entry through `roundedCounts` first.
 *
 * @throws {InputError} no entry at all, or entries over different layers or widths
 */
export function pool(entries: Iterable<PoolEntry>): PooledCounts {
  const pooling = new Pooling();
  for (const entry of entries) pooling.add(entry);
  return pooling.finish();
}

/** Pools data sets that arrive one at a time: only their languages' sums are kept. */
export class Pooling {
  readonly #merged = new Map<string, Counts>();

  /** @throws {InputError} the entry is over other layers or another width than those before */
  add({ language, counts }: PoolEntry): void {
    const [first] = this.#merged;
    if (first) assertSameShape({ language: first[0], counts: first[1] }, { language, counts });
    const before = this.#merged.get(language);
    this.#merged.set(language, before ? mergeCounts(before, counts) : counts);
  }

  /** @throws {InputError} nothing was added */
  finish(): PooledCounts {
    const [first] = this.#merged.values();
    if (!first) {
      throw new InputError(
        "There are no counts to identify from, expected at least one language: " +
          "name data sets with --dataset-configs.",
      );
    }
    const languages = [...this.#merged.keys()].sort();
    return {
      languages,
      layers: first.layers,
      width: first.width,
      byLanguage: languages.map((language) => this.#merged.get(language)!),
    };
  }
}

/**
 * Activation values of a latent over the texts of the given counts taken together: all languages
 * for the original's `global_{max,min,avg}_active`, one language for its own.
 *
 * For neurons the average is the sum over all positions, negative ones included, over the number of
 * positive ones (quirk 5), as published.
 *
 * @param at position in the arrays: row * width + index
 */
export function activationRange(counts: readonly Readonly<Counts>[], at: number): ActivationRange {
  const sum = counts.reduce((total, { sum }) => total + sum[at], 0n);
  const fired = counts.reduce((total, { firedTokens }) => total + firedTokens[at], 0);
  return {
    max: Math.max(...counts.map(({ max }) => max[at])),
    min: Math.min(...counts.map(({ min }) => min[at])),
    avg: fired === 0 ? NaN : Number(sum) * SUM_UNIT / fired,
  };
}

function assertSameShape(expected: PoolEntry, entry: PoolEntry): void {
  if (sameShape(expected.counts, entry.counts)) return;
  throw new InputError(
    `The counts of ${entry.language} are of ${shapeOf(entry.counts)}, ` +
      `expected ${shapeOf(expected.counts)} as for ${expected.language}: ` +
      `count both with the same model, SAEs and --layer.`,
  );
}
