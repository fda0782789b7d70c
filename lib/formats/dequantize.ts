/**
 * ggml's tensor types: how many bytes a block of elements takes, and what the blocks stand for in
 * f32, equal to the bit to ggml's reference (`gguf.quants.dequantize`).
 *
 * In the formulas q is the stored integer of an element, d the block's scale, m its offset, both
 * f16. "Half h" of a byte is its low (0) or high (1) four bits. Rounded products are rounded twice
 * on purpose, as the reference does.
 *
 * Source: block structures of ggml-common.h and dequantize_row_* of ggml-quants.c.
 */

import type { Dtype } from "./dtype.ts";

/** How a type is stored. */
export interface GgmlType {
  readonly name: string;
  /** Elements of one block; rows are whole blocks. */
  readonly blockElements: number;
  readonly blockBytes: number;
  /** What rows are read as: their own width, or F32 after dequantisation. */
  readonly dtype: Dtype;
  /** Writes the elements of the block at byte `at` to `out` from `to` on; absent where stored as read. */
  readonly dequantizeBlock?: DequantizeBlock;
}

type DequantizeBlock = (blocks: DataView, at: number, out: Float32Array, to: number) => void;

const { fround } = Math;

/** The types that are read, by their number in GGUF files. */
export const GGML_TYPES: ReadonlyMap<number, GgmlType> = new Map<number, GgmlType>([
  [0, { name: "F32", blockElements: 1, blockBytes: 4, dtype: "F32" }],
  [1, { name: "F16", blockElements: 1, blockBytes: 2, dtype: "F16" }],
  [30, { name: "BF16", blockElements: 1, blockBytes: 2, dtype: "BF16" }],
  [2, quantized("Q4_0", 32, 2 + 16, dequantizeQ4_0)],
  [3, quantized("Q4_1", 32, 4 + 16, dequantizeQ4_1)],
  [6, quantized("Q5_0", 32, 2 + 4 + 16, dequantizeQ5_0)],
  [7, quantized("Q5_1", 32, 4 + 4 + 16, dequantizeQ5_1)],
  [8, quantized("Q8_0", 32, 2 + 32, dequantizeQ8_0)],
  [12, quantized("Q4_K", 256, 4 + 12 + 128, dequantizeQ4_K)],
  [13, quantized("Q5_K", 256, 4 + 12 + 32 + 128, dequantizeQ5_K)],
  [14, quantized("Q6_K", 256, 128 + 64 + 16 + 2, dequantizeQ6_K)],
]);

/** Names of the types that are read, for messages. */
export const READABLE_TYPES = [...GGML_TYPES.values()].map(({ name }) => name).join(", ");

function quantized(
  name: string,
  blockElements: number,
  blockBytes: number,
  dequantizeBlock: DequantizeBlock,
): GgmlType {
  return { name, blockElements, blockBytes, dtype: "F32", dequantizeBlock };
}

/**
 * What whole blocks stand for.
 *
 * @returns bytes of `type.dtype`: the given ones where they are stored as they are read
 * @throws RangeError when these are not whole blocks
 */
export function dequantize(
  blocks: Uint8Array<ArrayBuffer>,
  { blockElements, blockBytes, dequantizeBlock }: GgmlType,
): Uint8Array<ArrayBuffer> {
  if (blocks.length % blockBytes !== 0) {
    throw new RangeError(`${blocks.length} bytes are not whole blocks of ${blockBytes}`);
  }
  if (!dequantizeBlock) return blocks;
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.length);
  const count = blocks.length / blockBytes;
  const values = new Float32Array(count * blockElements);
  for (let block = 0; block < count; block++) {
    dequantizeBlock(view, block * blockBytes, values, block * blockElements);
  }
  return new Uint8Array(values.buffer);
}

/** d f16, 16 bytes: element i + 16 h is half h of byte i; d (q - 8). */
function dequantizeQ4_0(blocks: DataView, at: number, out: Float32Array, to: number): void {
  const d = blocks.getFloat16(at, true);
  for (let i = 0; i < 16; i++) {
    const byte = blocks.getUint8(at + 2 + i);
    out[to + i] = d * ((byte & 15) - 8);
    out[to + i + 16] = d * ((byte >> 4) - 8);
  }
}

/** d, m f16, 16 bytes as in Q4_0; d q + m. */
function dequantizeQ4_1(blocks: DataView, at: number, out: Float32Array, to: number): void {
  const d = blocks.getFloat16(at, true);
  const m = blocks.getFloat16(at + 2, true);
  for (let i = 0; i < 16; i++) {
    const byte = blocks.getUint8(at + 4 + i);
    out[to + i] = fround(d * (byte & 15)) + m;
    out[to + i + 16] = fround(d * (byte >> 4)) + m;
  }
}

/** d f16, a word whose bit e is the fifth bit of element e, 16 bytes as in Q4_0; d (q - 16). */
function dequantizeQ5_0(blocks: DataView, at: number, out: Float32Array, to: number): void {
  const d = blocks.getFloat16(at, true);
  const fifth = blocks.getUint32(at + 2, true);
  for (let i = 0; i < 16; i++) {
    const byte = blocks.getUint8(at + 6 + i);
    out[to + i] = d * ((byte & 15 | fifthBit(fifth, i)) - 16);
    out[to + i + 16] = d * ((byte >> 4 | fifthBit(fifth, i + 16)) - 16);
  }
}

/** d, m f16, then as Q5_0; d q + m. */
function dequantizeQ5_1(blocks: DataView, at: number, out: Float32Array, to: number): void {
  const d = blocks.getFloat16(at, true);
  const m = blocks.getFloat16(at + 2, true);
  const fifth = blocks.getUint32(at + 4, true);
  for (let i = 0; i < 16; i++) {
    const byte = blocks.getUint8(at + 8 + i);
    out[to + i] = fround(d * (byte & 15 | fifthBit(fifth, i))) + m;
    out[to + i + 16] = fround(d * (byte >> 4 | fifthBit(fifth, i + 16))) + m;
  }
}

function fifthBit(bits: number, element: number): number {
  return (bits >>> element & 1) << 4;
}

/** d f16, 32 signed bytes; d q. */
function dequantizeQ8_0(blocks: DataView, at: number, out: Float32Array, to: number): void {
  const d = blocks.getFloat16(at, true);
  for (let i = 0; i < 32; i++) out[to + i] = d * blocks.getInt8(at + 2 + i);
}

/**
 * d, m f16, 12 bytes of scales and offsets, 128 bytes: element i of group g (of 8, 32 elements each)
 * is half g % 2 of byte 32 ⌊g / 2⌋ + i; (d scale_g) q - m offset_g.
 */
function dequantizeQ4_K(blocks: DataView, at: number, out: Float32Array, to: number): void {
  for (let group = 0; group < 8; group++) {
    const { d, m } = groupScale(blocks, at, group);
    const bytes = at + 16 + (group >> 1) * 32;
    const shift = (group & 1) * 4;
    for (let i = 0; i < 32; i++) {
      out[to + group * 32 + i] = fround(d * (blocks.getUint8(bytes + i) >> shift & 15)) - m;
    }
  }
}

/** As Q4_K with 32 more bytes before the others: bit g of byte i is the fifth bit of element i. */
function dequantizeQ5_K(blocks: DataView, at: number, out: Float32Array, to: number): void {
  for (let group = 0; group < 8; group++) {
    const { d, m } = groupScale(blocks, at, group);
    const bytes = at + 48 + (group >> 1) * 32;
    const shift = (group & 1) * 4;
    for (let i = 0; i < 32; i++) {
      const low = blocks.getUint8(bytes + i) >> shift & 15;
      const fifth = fifthBit(blocks.getUint8(at + 16 + i), group);
      out[to + group * 32 + i] = fround(d * (low | fifth)) - m;
    }
  }
}

/**
 * Scale and offset of one of the 8 groups of Q4_K and Q5_K, f32. They are 6 bits each: of groups 0-3
 * in the low bits of bytes 0-3 and 4-7; of groups 4-7 in the halves of bytes 8-11, their upper two
 * bits in the upper bits of bytes 0-3 and 4-7.
 */
function groupScale(blocks: DataView, at: number, group: number): { d: number; m: number } {
  const byte = (index: number) => blocks.getUint8(at + 4 + index);
  const own = group & 3;
  const [scale, offset] = group < 4 ? [byte(own) & 63, byte(own + 4) & 63] : [
    byte(own + 8) & 15 | byte(own) >> 6 << 4,
    byte(own + 8) >> 4 | byte(own + 4) >> 6 << 4,
  ];
  return {
    d: fround(blocks.getFloat16(at, true) * scale),
    m: fround(blocks.getFloat16(at + 2, true) * offset),
  };
}

/**
 * 128 bytes of lower four bits, 64 of upper two, 16 signed scales, d f16. Element i of group g (of 8,
 * 32 elements each): the lower bits are half ⌊g / 2⌋ % 2 of byte 64 ⌊g / 4⌋ + 32 (g % 2) + i, the
 * upper ones at bit 2 (g % 4) of byte 32 ⌊g / 4⌋ + i; (d scale) (q - 32), one scale per 16 elements.
 */
function dequantizeQ6_K(blocks: DataView, at: number, out: Float32Array, to: number): void {
  const d = blocks.getFloat16(at + 208, true);
  for (let group = 0; group < 8; group++) {
    const lower = at + (group >> 2) * 64 + (group & 1) * 32;
    const shift = (group >> 1 & 1) * 4;
    const upper = at + 128 + (group >> 2) * 32;
    for (let i = 0; i < 32; i++) {
      const scale = fround(d * blocks.getInt8(at + 192 + group * 2 + (i >> 4)));
      const low = blocks.getUint8(lower + i) >> shift & 15;
      const high = blocks.getUint8(upper + i) >> 2 * (group & 3) & 3;
      out[to + group * 32 + i] = scale * ((low | high << 4) - 32);
    }
  }
}
