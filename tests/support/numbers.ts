/** Reproducible inputs and measures of error for tests. */

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` values, roughly normal with the given scale. */
export function randomValues(
  random: () => number,
  count: number,
  scale = 1,
): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, () => {
    return scale * (random() + random() + random() + random() - 2) * Math.sqrt(3);
  });
}

/** Normalised mean squared error of `actual` against an f64 reference. */
export function nmse(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let error = 0;
  let power = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i] - expected[i]) ** 2;
    power += expected[i] ** 2;
  }
  return power === 0 ? (error === 0 ? 0 : Infinity) : error / power;
}

/** Largest absolute difference; Infinity when lengths differ or a value is not a number. */
export function maxAbsoluteDifference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
