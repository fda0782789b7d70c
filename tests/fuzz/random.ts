/** Random choices that a seed repeats exactly: input n of a campaign is the same on every machine. */

/** A stream of random numbers (mulberry32). */
export class Random {
  #state: number;

  /** @param seeds whole numbers; each of them changes everything */
  constructor(...seeds: readonly number[]) {
    this.#state = 0;
    for (const seed of seeds) {
      this.#state ^= seed | 0;
      this.#state = Math.imul(this.bits(), 0x9e3779b1);
    }
  }

  /** 32 random bits. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), 61 | bits);
    return (bits ^ (bits >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `below`, exclusive; 0 where there is none. */
  below(below: number): number {
    return Math.floor(this.bits() / 2 ** 32 * below);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of some things. */
  pick<T>(things: readonly T[]): T {
    return things[this.below(things.length)];
  }

  /** A small number, at least 1, that is seldom large. */
  few(): number {
    return 1 + Math.clz32(this.bits() | 1) % 8;
  }
}

/** Sizes at which readers go wrong. */
export const INTERESTING: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  8n,
  16n,
  31n,
  32n,
  64n,
  100n,
  127n,
  128n,
  255n,
  256n,
  1024n,
  65535n,
  65536n,
  100_000n,
  (1n << 24n) + 1n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 32n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];
