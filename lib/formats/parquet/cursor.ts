/** Bytes read from front to back; a read past the end throws instead of giving nothing. */
export class Cursor {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>, public at = 0) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  /** @throws RangeError past the end, like all reads */
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  /** Little-endian. */
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Unsigned LEB128 of at most 64 bits. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError("a number of more than 64 bits");
  }

  /** A count or length: a varint that must fit 31 bits. */
  count(): number {
    const value = this.varint();
    if (value > 0x7fff_ffffn) throw new RangeError(`a count of ${value}`);
    return Number(value);
  }

  /** A signed number in zigzag form. */
  zigzag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const begin = this.#advance(length);
    return this.bytes.subarray(begin, this.at);
  }

  #advance(length: number): number {
    if (length < 0 || length > this.left) {
      throw new RangeError(`it ends where ${length} more bytes were expected`);
    }
    const begin = this.at;
    this.at += length;
    return begin;
  }
}
