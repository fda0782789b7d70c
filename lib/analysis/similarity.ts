/** How alike features fire (spec section 12, similarity). */

/** Where one feature fires in one data set, and how strongly. */
export interface Occurrences {
  /** Token of the data set, its texts one after the other; ascending. */
  readonly positions: readonly number[];
  /** Activation at each of them. */
  readonly values: readonly number[];
}

/** How alike two features fire. */
export interface PairSimilarity {
  /** Tokens that both fire on. */
  readonly both: number;
  /** Tokens that at least one fires on. */
  readonly either: number;
  /** both / either; 0 where neither fires. */
  readonly iou: number;
  /** Correlation of the two activations at tokens that both fire on; 0 for fewer than two of them,
   * NaN where one of the activations is always the same. */
  readonly pearson: number;
}

/**
 * Compares two features over the data sets that list both, which are those where both fire.
 *
 * @param a one entry per data set
 * @param b the same data sets
 */
export function comparePair(
  a: readonly Occurrences[],
  b: readonly Occurrences[],
): PairSimilarity {
  const pairs: [number, number][] = [];
  let either = 0;
  for (const [dataset, own] of a.entries()) {
    const other = b[dataset];
    if (own.positions.length === 0 || other.positions.length === 0) continue;
    const common = commonValues(own, other);
    either += own.positions.length + other.positions.length - common.length;
    pairs.push(...common);
  }
  const both = pairs.length;
  return { both, either, iou: either > 0 ? both / either : 0, pearson: pearson(pairs) };
}

/** Values of both at the positions that they share. */
function commonValues(a: Occurrences, b: Occurrences): [number, number][] {
  const common: [number, number][] = [];
  for (let i = 0, j = 0; i < a.positions.length && j < b.positions.length;) {
    const difference = a.positions[i] - b.positions[j];
    if (difference === 0) common.push([a.values[i], b.values[j]]);
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return common;
}

function pearson(pairs: readonly (readonly [number, number])[]): number {
  if (pairs.length < 2) return 0;
  const mean = (side: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
  const [meanA, meanB] = [mean(0), mean(1)];
  let [squaresA, squaresB, products] = [0, 0, 0];
  for (const [a, b] of pairs) {
    squaresA += (a - meanA) ** 2;
    squaresB += (b - meanB) ** 2;
    products += (a - meanA) * (b - meanB);
  }
  // One value throughout is not spread by the rounding of its mean.
  const constant = ([0, 1] as const).some((side) => pairs.every((p) => p[side] === pairs[0][side]));
  return constant ? NaN : products / (Math.sqrt(squaresA) * Math.sqrt(squaresB));
}
