/**
 * MT19937, the generator of Python's `random` and of torch on the processor, bit for bit: published
 * orders and samples come from it (spec train-and-interpret B.4, B.5).
 *
 * Sources: Matsumoto & Nishimura 1998 (mt19937ar.c); CPython Lib/random.py and _randommodule.c;
 * ATen/core/MT19937RNGEngine.h.
 */

const WORDS = 624;
/** Distance of the word that each new word is mixed with. */
const MIDDLE = 397;

/** A stream of raw 32-bit words. */
export class MersenneTwister {
  readonly #state = new Uint32Array(WORDS);
  #at = WORDS;

  /**
   * As `init_genrand` seeds it, which is `torch.manual_seed`.
   *
   * @param seed its lowest 32 bits count
   */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < WORDS; i++) {
      state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
  }

  /**
   * As `init_by_array` seeds it.
   *
   * @param key one word or more
   */
  static fromKey(key: readonly number[]): MersenneTwister {
    const twister = new MersenneTwister(19650218);
    const state = twister.#state;
    let i = 1;
    const mixed = (factor: number) =>
      state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), factor);
    const next = () => {
      if (++i < WORDS) return;
      state[0] = state[WORDS - 1];
      i = 1;
    };
    for (let round = 0; round < Math.max(WORDS, key.length); round++) {
      const j = round % key.length;
      state[i] = mixed(1664525) + key[j] + j;
      next();
    }
    for (let round = 1; round < WORDS; round++) {
      state[i] = mixed(1566083941) - i;
      next();
    }
    state[0] = 0x8000_0000;
    return twister;
  }

  /** The next word, 0 to 2^32 - 1. */
  next(): number {
    if (this.#at === WORDS) this.#twist();
    let word = this.#state[this.#at++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c_5680;
    word ^= (word << 15) & 0xefc6_0000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** A number below `bound` as `torch.randint` draws it: the word's remainder. */
  remainder(bound: number): number {
    return this.next() % bound;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < WORDS; i++) {
      const joined = (state[i] & 0x8000_0000) | (state[(i + 1) % WORDS] & 0x7fff_ffff);
      const odd = joined & 1 ? 0x9908_b0df : 0;
      state[i] = state[(i + MIDDLE) % WORDS] ^ (joined >>> 1) ^ odd;
    }
    this.#at = 0;
  }
}

/** Python's `random.Random(seed)`. */
export class PythonRandom {
  readonly #twister: MersenneTwister;

  /** @param seed a whole number; as in Python, its sign does not count */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed of ${seed}`);
    const size = Math.abs(seed);
    const high = Math.floor(size / 2 ** 32);
    this.#twister = MersenneTwister.fromKey(high > 0 ? [size >>> 0, high] : [size >>> 0]);
  }

  /** `getrandbits`, 1 to 32 bits. */
  bits(count: number): number {
    return this.#twister.next() >>> (32 - count);
  }

  /** `randbelow`: a number from 0 to below `bound`, which is at most 2^32 - 1. */
  below(bound: number): number {
    if (!(bound > 0 && bound < 2 ** 32)) throw new RangeError(`a number below ${bound}`);
    const bits = 32 - Math.clz32(bound);
    for (;;) {
      const value = this.bits(bits);
      if (value < bound) return value;
    }
  }

  /** `shuffle`, in place. */
  shuffle(list: unknown[]): void {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
  }

  /**
   * `sample(range(total), size)`: numbers without repetition, in the order drawn.
   *
   * @throws RangeError when there are not so many
   */
  sampleBelow(total: number, size: number): number[] {
    if (size > total) throw new RangeError(`cannot draw ${size} of ${total}`);
    return total <= poolLimit(size) ? this.#fromPool(total, size) : this.#untilNew(total, size);
  }

  /** `sample(list, size)`. @throws RangeError when the list is shorter */
  sample<T>(list: readonly T[], size: number): T[] {
    return this.sampleBelow(list.length, size).map((at) => list[at]);
  }

  #fromPool(total: number, size: number): number[] {
    const pool = Array.from({ length: total }, (_, i) => i);
    return Array.from({ length: size }, (_, i) => {
      const at = this.below(total - i);
      const drawn = pool[at];
      pool[at] = pool[total - i - 1];
      return drawn;
    });
  }

  #untilNew(total: number, size: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < size) drawn.add(this.below(total));
    return [...drawn];
  }
}

/** Up to which size of the whole Python keeps a list of it: as long as a set of the drawn would be. */
function poolLimit(size: number): number {
  return 21 + (size > 5 ? 4 ** Math.ceil(Math.log(3 * size) / Math.log(4)) : 0);
}
