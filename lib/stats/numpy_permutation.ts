/**
 * NumPy's `default_rng(seed).permutation(n)`, bit for bit: the order that Hugging Face's data sets
 * shuffle their rows into, and so the order that sparsify trains on (spec train-and-interpret A.5).
 *
 * Sources: numpy/random/bit_generator.pyx (SeedSequence), src/pcg64/pcg64.h (PCG64, XSL-RR 128/64),
 * src/distributions/distributions.c (random_interval), _generator.pyx (shuffle).
 */

/**
 * The numbers 0 to `length` in NumPy's order for this seed.
 *
 * @param length below 2^32
 * @param seed a whole number from 0, below 2^53
 * @throws RangeError for other numbers
 */
export function numpyPermutation(length: number, seed: number): Uint32Array<ArrayBuffer> {
  if (!Number.isSafeInteger(length) || length < 0 || length > 2 ** 32) {
    throw new RangeError(`a permutation of ${length} numbers`);
  }
  const random = new Pcg64(seed);
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.upTo(i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const WORD64 = (1n << 64n) - 1n;
const WORD128 = (1n << 128n) - 1n;

/** The PCG64 generator as `default_rng` seeds it. */
class Pcg64 {
  #state: bigint;
  readonly #increment: bigint;
  /** The upper half of the last 64 bits, which the next 32 are taken from. */
  #upper: number | undefined;

  constructor(seed: number) {
    const [stateHigh, stateLow, streamHigh, streamLow] = seedWords(seed);
    this.#increment = (((streamHigh << 64n) | streamLow) << 1n | 1n) & WORD128;
    const first = this.#increment + ((stateHigh << 64n) | stateLow);
    this.#state = (first * MULTIPLIER + this.#increment) & WORD128;
  }

  /** A whole number from 0 to `most`, below 2^32: draws under a mask until one is not too large. */
  upTo(most: number): number {
    const mask = 0xffff_ffff >>> Math.clz32(most);
    for (;;) {
      const value = (this.#next32() & mask) >>> 0;
      if (value <= most) return value;
    }
  }

  #next32(): number {
    if (this.#upper !== undefined) {
      const upper = this.#upper;
      this.#upper = undefined;
      return upper;
    }
    const word = this.#next64();
    this.#upper = Number(word >> 32n);
    return Number(word & 0xffff_ffffn);
  }

  #next64(): bigint {
    this.#state = (this.#state * MULTIPLIER + this.#increment) & WORD128;
    const folded = (this.#state >> 64n) ^ (this.#state & WORD64);
    const turn = this.#state >> 122n;
    return ((folded >> turn) | (folded << (64n - turn))) & WORD64;
  }
}

const POOL_WORDS = 4;

/** NumPy's SeedSequence: four words of 64 bits that depend on every bit of the seed. */
function seedWords(seed: number): bigint[] {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`the seed ${seed}`);
  const pool = entropyPool([seed % 2 ** 32, Math.floor(seed / 2 ** 32)]);
  let hash = 0x8b51f9dd;
  const halves = Array.from({ length: 8 }, (_, i) => {
    let word = pool[i % POOL_WORDS] ^ hash;
    hash = Math.imul(hash, 0x58f38ded);
    word = Math.imul(word, hash);
    return BigInt((word ^ (word >>> 16)) >>> 0);
  });
  return Array.from({ length: 4 }, (_, i) => halves[2 * i] | (halves[2 * i + 1] << 32n));
}

/** Every word of the pool mixed with every other; words that the seed lacks are zero. */
function entropyPool(entropy: readonly number[]): Int32Array {
  let hash = 0x43b0d7e5;
  const hashed = (word: number): number => {
    word ^= hash;
    hash = Math.imul(hash, 0x931e8875);
    word = Math.imul(word, hash);
    return word ^ (word >>> 16);
  };
  const pool = Int32Array.from({ length: POOL_WORDS }, (_, i) => hashed(entropy[i] ?? 0));
  for (let from = 0; from < POOL_WORDS; from++) {
    for (let to = 0; to < POOL_WORDS; to++) {
      if (from !== to) pool[to] = mixed(pool[to], hashed(pool[from]));
    }
  }
  return pool;
}

function mixed(a: number, b: number): number {
  const word = Math.imul(0xca01f9dd, a) - Math.imul(0x4973f715, b);
  return word ^ (word >>> 16);
}
