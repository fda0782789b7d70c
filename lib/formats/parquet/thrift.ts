/**
 * Structures in Thrift's compact protocol, as Parquet's page headers are written
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
 */

import type { Cursor } from "./cursor.ts";

/** A value of a field; a structure has its fields by number. */
export type ThriftValue =
  | boolean
  | bigint
  | Uint8Array<ArrayBuffer>
  | readonly ThriftValue[]
  | ThriftStruct;

/** Fields of a structure by number. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

/** Parquet's page headers are three structures deep. */
const MAX_DEPTH = 16;

/** The structure that begins at the cursor. @throws RangeError when it is cut short or malformed */
export function readStruct(cursor: Cursor, depth = 0): ThriftStruct {
  if (depth > MAX_DEPTH) throw new RangeError("structures nested too deep");
  const fields = new Map<number, ThriftValue>();
  for (let id = 0;;) {
    const header = cursor.u8();
    const type = header & 0x0f;
    if (type === 0) return fields;
    const delta = header >> 4;
    id = delta > 0 ? id + delta : Number(cursor.zigzag());
    fields.set(id, type <= 2 ? type === 1 : readValue(cursor, type, depth));
  }
}

/** An integer field; undefined when there is none. */
export function integerField(fields: ThriftStruct, id: number): number | undefined {
  const value = fields.get(id);
  return typeof value === "bigint" ? Number(value) : undefined;
}

function readValue(cursor: Cursor, type: number, depth: number): ThriftValue {
  switch (type) {
    case 3:
      return BigInt(cursor.u8());
    case 4:
    case 5:
    case 6:
      return cursor.zigzag();
    case 7:
      return cursor.take(8);
    case 8:
      return cursor.take(cursor.count());
    case 9:
    case 10:
      return readList(cursor, depth);
    case 12:
      return readStruct(cursor, depth + 1);
  }
  throw new RangeError(`a field of the unknown type ${type}`);
}

function readList(cursor: Cursor, depth: number): ThriftValue[] {
  if (depth > MAX_DEPTH) throw new RangeError("lists nested too deep");
  const header = cursor.u8();
  const type = header & 0x0f;
  const length = header >> 4 === 15 ? cursor.count() : header >> 4;
  // every element takes a byte at least
  if (length > cursor.left) throw new RangeError(`a list of ${length} elements`);
  const element = () => type <= 2 ? cursor.u8() === 1 : readValue(cursor, type, depth + 1);
  return Array.from({ length }, element);
}
