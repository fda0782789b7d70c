/** Whole numbers in few bytes: seven bits of each per byte, the lowest first (LEB128). */

/** Writes numbers one after the other. */
export class PackedWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** @param value whole, from 0 to 2^32 - 1 */
  add(value: number): void {
    if (this.#length + 5 > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A copy of all that was written. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Reads what {@linkcode PackedWriter} wrote. */
export class PackedReader {
  readonly #bytes: Uint8Array;
  /** Bytes read so far. */
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next number. */
  next(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.#bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (!(byte & 0x80)) return value;
      scale *= 128;
    }
  }
}
