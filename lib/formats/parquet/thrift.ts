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

/**
 * Walks through the structure that begins at the cursor and makes nothing of it: for readers that
 * trust the counts in it.
 *
 * @param most values in it, those in its lists and structures included
 * @throws RangeError when there are more, or it is cut short or malformed
 */
export function checkStruct(cursor: Cursor, most: number): void {
  let left = most;
  const checkFields = (depth: number): void => {
    if (depth > MAX_DEPTH) throw new RangeError("structures nested too deep");
    for (;;) {
      const header = cursor.u8();
      const type = header & 0x0f;
      if (type === 0) return;
      if (header >> 4 === 0) cursor.zigzag();
      if (type > 2) checkValue(type, depth);
      else spend();
    }
  };
  const checkValue = (type: number, depth: number): void => {
    spend();
    if (type === 12) checkFields(depth + 1);
    else if (type === 9 || type === 10) checkList(depth);
    else readValue(cursor, type, depth);
  };
  const checkList = (depth: number): void => {
    const { type, length } = readListHeader(cursor, depth);
    for (let i = 0; i < length; i++) {
      if (type > 2) checkValue(type, depth + 1);
      else cursor.u8();
    }
  };
  const spend = () => {
    if (--left < 0) throw new RangeError(`more than ${most} values`);
  };
  checkFields(0);
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
  const { type, length } = readListHeader(cursor, depth);
  const element = () => type <= 2 ? cursor.u8() === 1 : readValue(cursor, type, depth + 1);
  return Array.from({ length }, element);
}

/** Type and number of a list's elements. */
function readListHeader(cursor: Cursor, depth: number): { type: number; length: number } {
  if (depth > MAX_DEPTH) throw new RangeError("lists nested too deep");
  const header = cursor.u8();
  const type = header & 0x0f;
  const length = header >> 4 === 15 ? cursor.count() : header >> 4;
  // every element takes a byte at least
  if (length > cursor.left) throw new RangeError(`a list of ${length} elements`);
  return { type, length };
}
