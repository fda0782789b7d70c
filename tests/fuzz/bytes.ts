/** Changes to bytes that know nothing of a format, and the pieces that structured ones share. */
import { INTERESTING, type Random } from "./random.ts";

/** Bytes of an input. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Inputs do not grow past this, in bytes: it is readers that must not make much of little. */
export const MAX_INPUT_BYTES = 1 << 18;

/** Pieces one after the other. */
export function concat(...pieces: readonly ArrayLike<number>[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A number of `width` bytes, little endian, cut to its lowest bits. */
export function integer(value: number | bigint, width: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
  return bytes.slice(0, width);
}

/** Text in UTF-8. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** A size at which readers go wrong, at times one off. */
export function interesting(random: Random): bigint {
  return random.pick(INTERESTING) + BigInt(random.chance(20) ? random.below(3) - 1 : 0);
}

/** A copy with some of its bytes changed, moved, repeated, taken out or put in. */
export function mutateBytes(bytes: Uint8Array, random: Random, others: readonly Bytes[]): Bytes {
  let changed: Bytes = bytes.slice() as Bytes;
  for (let i = random.few(); i > 0; i--) changed = random.pick(CHANGES)(changed, random, others);
  return changed.slice(0, MAX_INPUT_BYTES);
}

type Change = (bytes: Bytes, random: Random, others: readonly Bytes[]) => Bytes;

const CHANGES: readonly Change[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setInteger,
  setInteger,
  setInteger,
  nudge,
  nudge,
  cutOff,
  takeOut,
  repeat,
  putIn,
  splice,
];

function flipBit(bytes: Bytes, random: Random): Bytes {
  bytes[random.below(bytes.length)] ^= 1 << random.below(8);
  return bytes;
}

function setByte(bytes: Bytes, random: Random): Bytes {
  bytes[random.below(bytes.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
  return bytes;
}

function setInteger(bytes: Bytes, random: Random): Bytes {
  const number = integer(interesting(random), random.pick([2, 4, 8]));
  if (random.chance(20)) number.reverse();
  const at = random.below(bytes.length - number.length + 1);
  if (at + number.length <= bytes.length) bytes.set(number, at);
  return bytes;
}

function nudge(bytes: Bytes, random: Random): Bytes {
  bytes[random.below(bytes.length)] += random.pick([-1, 1]);
  return bytes;
}

function cutOff(bytes: Bytes, random: Random): Bytes {
  return bytes.slice(0, random.below(bytes.length + 1));
}

function takeOut(bytes: Bytes, random: Random): Bytes {
  const at = random.below(bytes.length);
  return concat(bytes.subarray(0, at), bytes.subarray(at + random.few() ** 2));
}

function repeat(bytes: Bytes, random: Random): Bytes {
  const at = random.below(bytes.length);
  const piece = bytes.subarray(at, at + random.few() ** 3);
  const copies = new Array<Uint8Array>(random.chance(5) ? 1000 : random.few()).fill(piece);
  return concat(bytes.subarray(0, at), ...copies, bytes.subarray(at)).slice(0, MAX_INPUT_BYTES);
}

function putIn(bytes: Bytes, random: Random): Bytes {
  const at = random.below(bytes.length + 1);
  const piece = Uint8Array.from({ length: random.few() ** 2 }, () => random.below(256));
  return concat(bytes.subarray(0, at), piece, bytes.subarray(at));
}

function splice(bytes: Bytes, random: Random, others: readonly Bytes[]): Bytes {
  const other = others.length > 0 ? random.pick(others) : bytes;
  return concat(
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ).slice(0, MAX_INPUT_BYTES);
}
