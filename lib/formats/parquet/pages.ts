/**
 * Pages of one flat column of a Parquet file
 * (https://github.com/apache/parquet-format/blob/master/README.md#data-pages).
 *
 * hyparquet reads pages too, but trusts the counts in them: a run that claims a thousand million
 * values is made. Here a page never makes more values than its row group has rows, nor more bytes
 * than MAX_PAGE_BYTES.
 */

import { Cursor } from "./cursor.ts";
import { readDeltas, readHybrid } from "./runs.ts";
import { integerField, readStruct, type ThriftStruct } from "./thrift.ts";

/** A cell. Whole numbers that f64 cannot hold are bigints. */
export type ParquetCell = string | number | bigint | boolean | null;

/** Physical types that are read. */
export type PhysicalType = "BOOLEAN" | "INT32" | "INT64" | "FLOAT" | "DOUBLE" | "BYTE_ARRAY";

/** Inflates a page: compressed bytes and the length they must come to. */
export type Inflate = (
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
) => Uint8Array<ArrayBuffer>;

/** How a column is stored. */
export interface ColumnForm {
  readonly type: PhysicalType;
  /** True where a cell may be null. */
  readonly optional: boolean;
  /** Undefined for pages that are not compressed. */
  readonly inflate?: Inflate;
}

/** What the header of a page says. */
export interface PageHeader {
  readonly kind: "data" | "dataV2" | "dictionary" | "other";
  /** Bytes of the header itself. */
  readonly headerBytes: number;
  /** Bytes of the page behind the header, as stored. */
  readonly bytes: number;
  /** Bytes of the page when inflated. */
  readonly inflatedBytes: number;
  /** Cells, nulls included. */
  readonly cells: number;
  readonly encoding: number;
  /** Bytes of the levels in front of a dataV2 page, and whether what follows is compressed. */
  readonly levels: { readonly repetition: number; readonly definition: number };
  readonly compressed: boolean;
}

/** No page may come to more bytes; writers make pages of about 1 MiB. */
export const MAX_PAGE_BYTES = 2 ** 28;

/**
 * No page may have more cells: repeated values take no bytes, but memory once they are read. Writers
 * fill pages of 1 MiB, with a bit per cell at the least.
 */
const MAX_PAGE_CELLS = 2 ** 23;

const KINDS = ["data", "other", "dictionary", "dataV2"] as const;
/** Field of the page header that holds what is particular to the kind. */
const DETAILS = { data: 5, dictionary: 7, dataV2: 8 } as const;

const PLAIN = 0;
const PLAIN_DICTIONARY = 2;
const RLE = 3;
const DELTA_BINARY_PACKED = 5;
const DELTA_LENGTH_BYTE_ARRAY = 6;
const DELTA_BYTE_ARRAY = 7;
const RLE_DICTIONARY = 8;

/**
 * The page header at the begin of `bytes`.
 *
 * @param rows of the row group: the most cells that a page may have
 * @throws RangeError for a header that is malformed or claims too much
 */
export function readPageHeader(bytes: Uint8Array<ArrayBuffer>, rows: number): PageHeader {
  const cursor = new Cursor(bytes);
  const fields = readStruct(cursor);
  const kind = KINDS[integerField(fields, 1) ?? 1] ?? "other";
  const details = kind === "other" ? undefined : fields.get(DETAILS[kind]);
  const detail = details instanceof Map ? details as ThriftStruct : new Map();
  const header = {
    kind,
    headerBytes: cursor.at,
    inflatedBytes: integerField(fields, 2) ?? -1,
    bytes: integerField(fields, 3) ?? -1,
    cells: kind === "other" ? 0 : integerField(detail, 1) ?? -1,
    encoding: integerField(detail, kind === "dataV2" ? 4 : 2) ?? -1,
    levels: {
      definition: kind === "dataV2" ? integerField(detail, 5) ?? -1 : 0,
      repetition: kind === "dataV2" ? integerField(detail, 6) ?? -1 : 0,
    },
    compressed: detail.get(7) !== false,
  };
  const { definition, repetition } = header.levels;
  if (header.inflatedBytes > MAX_PAGE_BYTES) {
    throw new RangeError(`a page that claims ${header.inflatedBytes} bytes`);
  }
  if (header.cells > Math.min(rows, MAX_PAGE_CELLS)) {
    throw new RangeError(`a page that claims ${header.cells} cells`);
  }
  const sizes = [header.bytes, header.inflatedBytes, header.cells, definition, repetition];
  const leveled = definition + repetition <= Math.min(header.bytes, header.inflatedBytes);
  if (sizes.some((size) => size < 0) || !leveled) throw new RangeError("a malformed page header");
  return header;
}

/** The values that later pages of the column chunk refer to by number. */
export function readDictionary(
  page: Uint8Array<ArrayBuffer>,
  header: PageHeader,
  form: ColumnForm,
): ParquetCell[] {
  if (header.encoding !== PLAIN && header.encoding !== PLAIN_DICTIONARY) {
    throw new RangeError(`a dictionary in encoding ${header.encoding}`);
  }
  return readPlain(new Cursor(inflated(page, header, form)), form.type, header.cells);
}

/** The cells of a data page. */
export function readCells(
  page: Uint8Array<ArrayBuffer>,
  header: PageHeader,
  form: ColumnForm,
  dictionary: readonly ParquetCell[] | undefined,
): ParquetCell[] {
  const { cursor, present } = header.kind === "dataV2"
    ? beginV2(page, header, form)
    : beginV1(page, header, form);
  const count = present ? present.reduce((sum, level) => sum + level, 0) : header.cells;
  const values = readValues(cursor, header.encoding, form.type, count, dictionary);
  if (!present) return values;
  let at = 0;
  return Array.from(present, (level) => level === 1 ? values[at++] : null);
}

interface Begun {
  readonly cursor: Cursor;
  /** 1 for each cell that has a value, 0 for null; undefined where all have. */
  readonly present?: Uint32Array;
}

/** Levels lie in front of the values and are compressed with them, their length before them. */
function beginV1(page: Uint8Array<ArrayBuffer>, header: PageHeader, form: ColumnForm): Begun {
  const cursor = new Cursor(inflated(page, header, form));
  if (!form.optional) return { cursor };
  const levels = new Cursor(cursor.take(cursor.u32()));
  return { cursor, present: readHybrid(levels, 1, header.cells) };
}

/** Levels lie in front of the values and are not compressed. */
function beginV2(page: Uint8Array<ArrayBuffer>, header: PageHeader, form: ColumnForm): Begun {
  const { repetition, definition } = header.levels;
  const levels = new Cursor(page.subarray(repetition, repetition + definition));
  const begin = repetition + definition;
  const values = {
    ...header,
    inflatedBytes: header.inflatedBytes - begin,
  };
  const stored = page.subarray(begin);
  const cursor = new Cursor(header.compressed ? inflated(stored, values, form) : stored);
  return form.optional ? { cursor, present: readHybrid(levels, 1, header.cells) } : { cursor };
}

/** The bytes of a page as they were before they were compressed. */
export function inflated(
  page: Uint8Array<ArrayBuffer>,
  { inflatedBytes }: PageHeader,
  { inflate }: ColumnForm,
): Uint8Array<ArrayBuffer> {
  if (!inflate || inflatedBytes === 0) return page;
  const bytes = inflate(page, inflatedBytes);
  if (bytes.length === inflatedBytes) return bytes;
  throw new RangeError(`a page of ${bytes.length} bytes that claims ${inflatedBytes}`);
}

/** The values of a data page, of which there are `count`, behind its levels. */
export function readValues(
  cursor: Cursor,
  encoding: number,
  type: PhysicalType,
  count: number,
  dictionary: readonly ParquetCell[] | undefined,
): ParquetCell[] {
  if (count === 0) return [];
  if (encoding === PLAIN) return readPlain(cursor, type, count);
  if (encoding === RLE_DICTIONARY || encoding === PLAIN_DICTIONARY) {
    if (!dictionary) throw new RangeError("a page without its dictionary");
    return Array.from(readHybrid(cursor, cursor.u8(), count), (index) => {
      if (index >= dictionary.length) {
        throw new RangeError(`value ${index} of a shorter dictionary`);
      }
      return dictionary[index];
    });
  }
  if (encoding === RLE && type === "BOOLEAN") {
    const bits = new Cursor(cursor.take(cursor.u32()));
    return Array.from(readHybrid(bits, 1, count), (bit) => bit === 1);
  }
  if (encoding === DELTA_BINARY_PACKED && (type === "INT32" || type === "INT64")) {
    const bits = type === "INT32" ? 32 : 64;
    return Array.from(readDeltas(cursor, count), (value) => whole(BigInt.asIntN(bits, value)));
  }
  if (encoding === DELTA_LENGTH_BYTE_ARRAY && type === "BYTE_ARRAY") {
    const lengths = readDeltas(cursor, count);
    return Array.from(lengths, (length) => text(cursor.take(Number(length))));
  }
  if (encoding === DELTA_BYTE_ARRAY && type === "BYTE_ARRAY") return readFrontCoded(cursor, count);
  throw new RangeError(`${type} in encoding ${encoding}, which is not read`);
}

function readPlain(cursor: Cursor, type: PhysicalType, length: number): ParquetCell[] {
  if (type === "BYTE_ARRAY") {
    // each has its length in front: refuse before making so many
    if (length * 4 > cursor.left) throw new RangeError("fewer texts than it claims");
    return Array.from({ length }, () => text(cursor.take(cursor.u32())));
  }
  if (type === "BOOLEAN") {
    const bits = cursor.take(Math.ceil(length / 8));
    return Array.from({ length }, (_, i) => (bits[i >> 3] >> (i & 7) & 1) === 1);
  }
  const bytes = cursor.take(length * (type === "INT32" || type === "FLOAT" ? 4 : 8));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: Record<typeof type, (i: number) => ParquetCell> = {
    INT32: (i) => view.getInt32(4 * i, true),
    INT64: (i) => whole(view.getBigInt64(8 * i, true)),
    FLOAT: (i) => view.getFloat32(4 * i, true),
    DOUBLE: (i) => view.getFloat64(8 * i, true),
  };
  return Array.from({ length }, (_, i) => read[type](i));
}

/** Texts, each as the number of bytes it shares with the one before, and the rest. */
function readFrontCoded(cursor: Cursor, count: number): string[] {
  const shared = readDeltas(cursor, count);
  const lengths = readDeltas(cursor, count);
  let before = new Uint8Array();
  let total = 0;
  return Array.from(shared, (prefix, i) => {
    if (prefix < 0n || prefix > before.length) throw new RangeError("a text that shares too much");
    const rest = cursor.take(Number(lengths[i]));
    const bytes = new Uint8Array(Number(prefix) + rest.length);
    total += bytes.length;
    // sharing is the one way in which few bytes make many
    if (total > MAX_PAGE_BYTES) throw new RangeError(`a page of over ${MAX_PAGE_BYTES} bytes`);
    bytes.set(before.subarray(0, Number(prefix)));
    bytes.set(rest, Number(prefix));
    before = bytes;
    return text(bytes);
  });
}

function whole(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function text(bytes: Uint8Array): string {
  return UTF8.decode(bytes);
}
