import assert from "node:assert/strict";
import { Cursor } from "./cursor.ts";
import { MAX_PAGE_BYTES, readCells, readPageHeader } from "./pages.ts";
import { readDeltas, readHybrid } from "./runs.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

/** Unsigned LEB128. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...varint(Math.floor(value / 128))];
}

/** Compact Thrift: i32 fields 1, 2, 3 and the data page header (5) with cells and encoding. */
function dataPage(
  inflated: number,
  stored: number,
  cells: number,
  encoding = 0,
): Uint8Array<ArrayBuffer> {
  const i32 = (value: number) => [0x15, ...varint(2 * value)];
  const detail = [...i32(cells), ...i32(encoding), ...i32(3), ...i32(3), 0];
  return bytes(...i32(0), ...i32(inflated), ...i32(stored), 0x2c, ...detail, 0);
}

Deno.test("a page header as the format's document has it", () => {
  const header = readPageHeader(dataPage(40, 24, 10), 10);
  assert.equal(header.kind, "data");
  assert.deepEqual([header.inflatedBytes, header.bytes, header.cells], [40, 24, 10]);
  assert.equal(header.headerBytes, dataPage(40, 24, 10).length);
});

Deno.test("pages that claim more than there can be are refused before they are made", () => {
  const header = (...args: Parameters<typeof dataPage>) => () =>
    readPageHeader(dataPage(...args), 10);
  assert.throws(header(MAX_PAGE_BYTES + 1, 24, 10), /claims 268435457 bytes/);
  assert.throws(header(40, 24, 11), /claims 11 cells/);
  assert.throws(header(40, 24, 2 ** 30), /claims 1073741824 cells/);
  // a page of one value again and again takes no bytes, however many rows there are
  const many = () => readPageHeader(dataPage(40, 24, 2 ** 23 + 1), 2 ** 26);
  assert.throws(many, /claims 8388609 cells/);
  assert.throws(() => readPageHeader(bytes(0), 10), /malformed page header/);
  // structures without end
  assert.throws(() => readPageHeader(new Uint8Array(1000).fill(0x1c), 10), /nested too deep/);
  // a list of 2^31 structures
  assert.throws(
    () => readPageHeader(bytes(0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07), 10),
    /list of/,
  );
});

Deno.test("runs make no more values than asked for", () => {
  // a run of 2^30 values, then nothing
  const run = bytes(...varint(2 ** 31 - 2), 1);
  assert.deepEqual([...readHybrid(new Cursor(run), 1, 5)], [1, 1, 1, 1, 1]);
  // the document's own example: 0 to 7 in 3 bits
  const packed = bytes(0b11, 0b10001000, 0b11000110, 0b11111010);
  assert.deepEqual([...readHybrid(new Cursor(packed), 3, 8)], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.throws(() => readHybrid(new Cursor(bytes(0x03, 1)), 3, 8), /cut short/);
  assert.throws(() => readHybrid(new Cursor(bytes(0, 0, 0, 0)), 8, 3), /an empty run/);
  assert.throws(() => readHybrid(new Cursor(bytes(4, 0)), 33, 2), /33 bits/);
});

Deno.test("differences: the document's example, and malformed blocks", () => {
  // 7, 5, 3, 1, 2, 3, 4, 5: first 7, least difference -2, two bits each
  const block = [
    ...varint(128),
    4,
    8,
    14,
    3,
    2,
    0,
    0,
    0,
    0b11000000,
    0b00111111,
    0,
    0,
    0,
    0,
    0,
    0,
  ];
  assert.deepEqual([...readDeltas(new Cursor(bytes(...block)), 8)].map(Number), [
    7,
    5,
    3,
    1,
    2,
    3,
    4,
    5,
  ]);
  for (const head of [[0, 4], [128, 1, 0], [...varint(128), 0], [33, 1]]) {
    assert.throws(() => readDeltas(new Cursor(bytes(...head, 8, 0, 0, 0)), 8), /malformed blocks/);
  }
});

Deno.test("a page that inflates to another length than it claims is refused", () => {
  const header = readPageHeader(dataPage(8, 4, 2), 10);
  const form = { type: "INT32", optional: false, inflate: () => bytes(1, 2, 3) } as const;
  assert.throws(
    () => readCells(bytes(1, 2, 3, 4), header, form, undefined),
    /3 bytes that claims 8/,
  );
});
