/** Thrift structures in the compact protocol, as trees that can be changed and written. */
import { type Bytes, concat } from "./bytes.ts";

/** A value and its type's number in the protocol. */
export type Thrift =
  | { type: 1 | 2 }
  | { type: 3 | 4 | 5 | 6; value: bigint }
  | { type: 7 | 8; bytes: Bytes }
  | { type: 9 | 10; of: number; items: Thrift[]; claimed?: bigint }
  | { type: 12; fields: [number, Thrift][] };

/** Reads a good structure from the begin of bytes. */
export function readThrift(bytes: Bytes): Thrift {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const zigzag = () => {
    const value = varint();
    return (value >> 1n) ^ -(value & 1n);
  };
  const take = (length: number) => bytes.slice(at, at += length);
  const struct = (): Thrift => {
    const fields: [number, Thrift][] = [];
    for (let id = 0;;) {
      const header = bytes[at++];
      if ((header & 15) === 0) return { type: 12, fields };
      id = header >> 4 ? id + (header >> 4) : Number(zigzag());
      fields.push([id, value(header & 15)]);
    }
  };
  const value = (type: number): Thrift => {
    switch (type) {
      case 1:
      case 2:
        return { type };
      case 3:
        return { type, value: BigInt(bytes[at++]) };
      case 4:
      case 5:
      case 6:
        return { type, value: zigzag() };
      case 7:
        return { type, bytes: take(8) };
      case 8:
        return { type, bytes: take(Number(varint())) };
      case 9:
      case 10: {
        const header = bytes[at++];
        const length = header >> 4 === 15 ? Number(varint()) : header >> 4;
        return { type, of: header & 15, items: Array.from({ length }, () => value(header & 15)) };
      }
      default:
        return struct();
    }
  };
  return struct();
}

/** The bytes of a structure. */
export function writeThrift(value: Thrift): Bytes {
  switch (value.type) {
    case 1:
    case 2:
      return new Uint8Array();
    case 3:
      return Uint8Array.of(Number(value.value & 255n));
    case 4:
    case 5:
    case 6:
      return zigzagBytes(value.value);
    case 7:
      return value.bytes;
    case 8:
      return concat(varintBytes(BigInt(value.bytes.length)), value.bytes);
    case 9:
    case 10: {
      const count = varintBytes(value.claimed ?? BigInt(value.items.length));
      return concat(Uint8Array.of(0xf0 | value.of), count, ...value.items.map(writeThrift));
    }
    case 12: {
      const fields = value.fields.flatMap(([id, field]) => [
        concat(Uint8Array.of(field.type), zigzagBytes(BigInt(id))),
        writeThrift(field),
      ]);
      return concat(...fields, Uint8Array.of(0));
    }
  }
}

/** All values of a tree, the root first. */
export function thriftValues(value: Thrift): Thrift[] {
  const inner = "items" in value
    ? value.items
    : "fields" in value
    ? value.fields.map(([, field]) => field)
    : [];
  return [value, ...inner.flatMap(thriftValues)];
}

function zigzagBytes(value: bigint): Bytes {
  return varintBytes(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
}

function varintBytes(value: bigint): Bytes {
  const bytes: number[] = [];
  for (; value > 0x7fn; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(value));
}
