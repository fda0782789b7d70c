/**
 * Parquet's encodings of whole numbers
 * (https://github.com/apache/parquet-format/blob/master/Encodings.md). The number of values is the
 * caller's; nothing that the bytes claim makes more than that.
 */

import type { Cursor } from "./cursor.ts";

/**
 * `length` numbers in the hybrid of runs and bit-packed groups: definition levels, indices into a
 * dictionary, booleans.
 *
 * @param width bits per number, 0 to 32
 * @throws RangeError when the bytes end before
 */
export function readHybrid(cursor: Cursor, width: number, length: number): Uint32Array {
  if (width > 32) throw new RangeError(`numbers of ${width} bits`);
  const values = new Uint32Array(length);
  for (let at = 0; at < length;) {
    const header = cursor.count();
    const most = length - at;
    if (header & 1) {
      const count = (header >> 1) * 8;
      // the last group may be cut short where its values are not needed
      const packed = cursor.take(Math.min(Math.ceil(count * width / 8), cursor.left));
      const used = Math.min(count, most);
      if (used * width > packed.length * 8) throw new RangeError("a group that is cut short");
      unpack(packed, width, values.subarray(at, at + used));
      at += used;
    } else {
      const run = Math.min(header >> 1, most);
      if (run === 0) throw new RangeError("an empty run");
      values.fill(littleEndian(cursor.take(Math.ceil(width / 8))), at, at + run);
      at += run;
    }
  }
  return values;
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** Numbers of `width` bits, least significant bit first. */
function unpack(bytes: Uint8Array, width: number, values: Uint32Array): void {
  for (let i = 0, bit = 0; i < values.length; i++) {
    let value = 0;
    for (let done = 0; done < width;) {
      const offset = bit & 7;
      const take = Math.min(8 - offset, width - done);
      value += ((bytes[bit >> 3] >> offset) & ((1 << take) - 1)) * 2 ** done;
      done += take;
      bit += take;
    }
    values[i] = value;
  }
}

/**
 * `length` numbers as differences in bit-packed blocks (DELTA_BINARY_PACKED).
 *
 * @throws RangeError when the bytes end before or the blocks are malformed
 */
export function readDeltas(cursor: Cursor, length: number): BigInt64Array {
  const block = cursor.count();
  const miniblocks = cursor.count();
  const claimed = cursor.count();
  const perMiniblock = block / miniblocks;
  if (claimed < length || miniblocks > 512 || !(perMiniblock > 0 && perMiniblock % 32 === 0)) {
    throw new RangeError("differences in malformed blocks");
  }
  const values = new BigInt64Array(length);
  let value = cursor.zigzag();
  if (length > 0) values[0] = value;
  for (let at = 1; at < length;) {
    const least = cursor.zigzag();
    const widths = cursor.take(miniblocks);
    for (let i = 0; i < miniblocks && at < length; i++) {
      const packed = cursor.take(perMiniblock * widths[i] / 8);
      for (let j = 0; j < perMiniblock && at < length; j++) {
        value = BigInt.asIntN(64, value + least + bits(packed, j * widths[i], widths[i]));
        values[at++] = value;
      }
    }
  }
  // a page of one value, or whose values all fit the last block read, ends here
  return values;
}

function bits(bytes: Uint8Array, begin: number, width: number): bigint {
  let value = 0n;
  for (let done = 0; done < width;) {
    const bit = begin + done;
    const take = Math.min(8 - (bit & 7), width - done);
    const part = (bytes[bit >> 3] >> (bit & 7)) & ((1 << take) - 1);
    value |= BigInt(part) << BigInt(done);
    done += take;
  }
  return value;
}
