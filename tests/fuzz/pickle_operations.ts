/** Pickles cut into their operations, for changes that leave them pickles. */
import type { Bytes } from "./bytes.ts";

/** An opcode with its argument, as it is stored. */
export type Operation = Bytes;

/** Bytes behind the opcode, of those that have a fixed number; from Python's pickletools. */
const FIXED = new Map([
  [0x80, 1],
  [0x95, 8],
  [0x4b, 1],
  [0x4d, 2],
  [0x4a, 4],
  [0x47, 8],
  [0x71, 1],
  [0x72, 4],
  [0x68, 1],
  [0x6a, 4],
]);
/** Bytes of the length behind the opcode, of those whose argument has one. */
const COUNTED = new Map([[0x8a, 1], [0x8b, 4], [0x8c, 1], [0x58, 4], [0x8d, 8]]);
const GLOBAL = 0x63;

/** The operations of a good pickle, in order. */
export function operationsOf(pickle: Bytes): Operation[] {
  const operations: Operation[] = [];
  for (let at = 0; at < pickle.length;) {
    const end = at + 1 + argumentLength(pickle, at);
    operations.push(pickle.slice(at, end));
    at = end;
  }
  return operations;
}

function argumentLength(pickle: Bytes, at: number): number {
  const opcode = pickle[at];
  if (opcode === GLOBAL) return pickle.indexOf(10, pickle.indexOf(10, at) + 1) - at;
  const width = COUNTED.get(opcode);
  if (width === undefined) return FIXED.get(opcode) ?? 0;
  let length = 0;
  for (let i = Math.min(width, 4); i > 0; i--) length = length * 256 + pickle[at + i];
  return width + length;
}
