/** Seeded random numbers: the same on every machine. */

/** Uniform numbers in [0, 1), each with 32 random bits. */
export type Random = () => number;

/**
 * xoshiro128** 1.1 (Blackman & Vigna 2018), seeded by splitmix32.
 *
 * @param seed whole numbers; all of them count
 */
export function seededRandom(...seed: readonly number[]): Random {
  let mixed = 0x9e3779b9;
  const splitmix = () => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = mixed ^ (mixed >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
  for (const part of seed) mixed = splitmix() ^ (part | 0) ^ Math.floor(part / 2 ** 32);
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result / 2 ** 32;
  };
}

/** Draws `size` of the numbers below `total` without replacement, in the order drawn. */
export function sample(random: Random, total: number, size: number): number[] {
  if (size > total) throw new RangeError(`cannot draw ${size} of ${total}`);
  const drawn = new Map<number, number>();
  // a Fisher-Yates shuffle of which only the places touched are kept
  return Array.from({ length: size }, (_, i) => {
    const at = i + Math.floor(random() * (total - i));
    const value = drawn.get(at) ?? at;
    drawn.set(at, drawn.get(i) ?? i);
    return value;
  });
}
