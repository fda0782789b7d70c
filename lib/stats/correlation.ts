/** Correlation of paired values. */

/**
 * Pearson's coefficient, -1 to 1; NaN for fewer than two pairs or where one side does not vary.
 *
 * @throws {RangeError} the lists are of different lengths
 */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} values paired with ${b.length}`);
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, onlyA, onlyB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += (a[i] - meanA) * (b[i] - meanB);
    onlyA += (a[i] - meanA) ** 2;
    onlyB += (b[i] - meanB) ** 2;
  }
  return onlyA === 0 || onlyB === 0 ? NaN : both / Math.sqrt(onlyA * onlyB);
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of theirs.
 *
 * @throws {RangeError} the lists are of different lengths
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return pearson(ranks(a), ranks(b));
}

/** Ranks from 1 in ascending order; equal values share the mean of their ranks. */
export function ranks(values: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i)
    .sort((a, b) => values[a] - values[b]);
  const result = new Float64Array(values.length);
  for (let first = 0; first < order.length;) {
    let end = first + 1;
    while (end < order.length && values[order[end]] === values[order[first]]) end++;
    for (let i = first; i < end; i++) result[order[i]] = (first + 1 + end) / 2;
    first = end;
  }
  return result;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
