/**
 * Groups of documents: what intervals and tests resample. Tokens of one document are not independent
 * of each other; documents are taken to be.
 */
import type { PooledCounts } from "./pool.ts";

/** What fired in one group of documents. */
export interface DocumentGroup {
  /** Position in the languages of the pool. */
  readonly language: number;
  readonly tokens: number;
  /** Units that fired in it, as row * width + index, ascending, */
  readonly units: Uint32Array;
  /** and on how many of its tokens each did. */
  readonly firedTokens: Uint32Array;
}

/**
 * The groups of all languages, in the order of the languages; undefined where a language with texts
 * was counted without its documents.
 */
export function documentGroups({ byLanguage }: PooledCounts): DocumentGroup[] | undefined {
  if (byLanguage.some(({ tokens, documents }) => tokens > 0 && !documents)) return undefined;
  return byLanguage.flatMap(({ documents }, language) => {
    if (!documents) return [];
    const { tokens, offsets, units, firedTokens } = documents;
    return Array.from(tokens, (tokens, group) => ({
      language,
      tokens,
      units: units.subarray(offsets[group], offsets[group + 1]),
      firedTokens: firedTokens.subarray(offsets[group], offsets[group + 1]),
    }));
  });
}

/** Tokens of a group on which a unit fired. */
export function firedIn({ units, firedTokens }: DocumentGroup, unit: number): number {
  let [low, high] = [0, units.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (units[middle] < unit) low = middle + 1;
    else high = middle;
  }
  return units[low] === unit ? firedTokens[low] : 0;
}

/** Where neighbouring units fired: the groups transposed. */
export interface UnitBlock {
  /** The first unit. */
  readonly first: number;
  /** Unit `first + i` fired in the groups `group[offsets[i]]` to `group[offsets[i + 1] - 1]`. */
  readonly offsets: Uint32Array;
  readonly group: Int32Array;
  /** Whole numbers in f64: sums of them neither overflow nor are converted, which takes twice the time. */
  readonly firedTokens: Float64Array;
}

/**
 * All units from 0 to `total`, `most` at a time: the transposed counts of millions of units would
 * take as much memory again as the counts.
 */
export function* unitBlocks(
  groups: readonly DocumentGroup[],
  total: number,
  most: number,
): Generator<UnitBlock> {
  const next = new Uint32Array(groups.length);
  for (let first = 0; first < total; first += most) {
    yield transposed(groups, next, first, Math.min(most, total - first));
  }
}

/** @param next per group the first entry that is not transposed yet; moved on */
function transposed(
  groups: readonly DocumentGroup[],
  next: Uint32Array,
  first: number,
  size: number,
): UnitBlock {
  const offsets = new Uint32Array(size + 1);
  const begin = next.slice();
  groups.forEach(({ units }, g) => {
    for (; next[g] < units.length && units[next[g]] < first + size; next[g]++) {
      offsets[units[next[g]] - first + 1]++;
    }
  });
  for (let i = 0; i < size; i++) offsets[i + 1] += offsets[i];
  const group = new Int32Array(offsets[size]);
  const firedTokens = new Float64Array(offsets[size]);
  const place = offsets.slice();
  groups.forEach((from, g) => {
    for (let entry = begin[g]; entry < next[g]; entry++) {
      const at = place[from.units[entry] - first]++;
      group[at] = g;
      firedTokens[at] = from.firedTokens[entry];
    }
  });
  return { first, offsets, group, firedTokens };
}
