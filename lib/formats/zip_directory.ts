/**
 * The directory of a ZIP archive: which entries it has and where they lie. The reader is strict: what
 * one record promises, the others must say too, and entries must not overlap.
 *
 * Format: PKWARE APPNOTE 6.3.10, sections 4.3 (structure), 4.4 (fields) and 4.5.3 (zip64)
 */

import type { ByteSource } from "./byte_source.ts";
import { InputError } from "./input_error.ts";

/** Largest number of entries that is read. */
export const MAX_ENTRIES = 100_000;
/** Longest name of an entry that is read, in bytes. */
export const MAX_NAME_BYTES = 1024;

const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;
/** Deflate cannot make more than this of a byte (258 bytes of 2 bits). */
const MAX_DEFLATE_RATIO = 1032;

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;

const SIGNATURE = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  locator: 0x07064b50,
  end64: 0x06064b50,
} as const;
const ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13;
const SIZES_FOLLOW = 1 << 3;
const STORED = 0;
const DEFLATED = 8;
const ZIP64_EXTRA = 1;

/** What the central directory says of one entry. */
export interface ZipEntry {
  readonly name: string;
  /** Length in bytes once inflated. */
  readonly size: number;
  /** Length in bytes within the archive; that of a stored entry is its `size`. */
  readonly packedSize: number;
  /** CRC-32 of the inflated bytes. */
  readonly crc32: number;
  readonly deflated: boolean;
}

/** An entry, and where the archive may hold it. */
export interface Place extends ZipEntry {
  /** First byte of its local header. */
  readonly begin: number;
  /** First byte of what follows the entry: another entry or the directory. */
  end: number;
}

/** A half-open range of bytes of the archive. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Whether bytes begin as a ZIP archive with entries does. */
export function isZip(prefix: Uint8Array): boolean {
  return prefix.length >= 4 && view(prefix).getUint32(0, true) === SIGNATURE.local;
}

/**
 * Every entry of an archive by name, in the order of the directory.
 *
 * @param where names the archive in messages
 * @throws InputError when the source is not an archive, its records contradict each other, or it
 *   uses what is not read: several files, encryption, methods other than stored and deflated
 */
export async function readDirectory(
  source: ByteSource,
  where: string,
): Promise<ReadonlyMap<string, Place>> {
  const directory = await findDirectory(source, where);
  return parseDirectory(await source.read(directory.begin, directory.end), directory, where);
}

/** Where the central directory lies, and how many entries it should have. */
interface Directory extends Range {
  readonly count: number;
}

/** Finds the directory through the end record, which an archive comment may follow. */
async function findDirectory(source: ByteSource, where: string): Promise<Directory> {
  const tailBegin = Math.max(0, source.size - END_BYTES - MAX_COMMENT_BYTES - LOCATOR_BYTES);
  const tail = await source.read(tailBegin, source.size);
  const at = endRecord(tail);
  if (at < 0) throw badZip(where, "it has no end record, so it is no ZIP archive or is truncated");
  const end = view(tail, at);
  const locator = at >= LOCATOR_BYTES ? view(tail, at - LOCATOR_BYTES) : undefined;
  const hasEnd64 = locator?.getUint32(0, true) === SIGNATURE.locator;
  const [disk, firstDisk, onDisk] = [4, 6, 8].map((field) => end.getUint16(field, true));
  const said = {
    count: end.getUint16(10, true),
    size: end.getUint32(12, true),
    begin: end.getUint32(16, true),
  };
  if (disk !== 0 || firstDisk !== 0 || onDisk !== said.count) {
    throw badZip(where, "it is one part of an archive in several files");
  }
  const limit = tailBegin + at;
  const { count, size, begin, follows } = locator && hasEnd64
    ? await readEnd64(source, locator, limit - LOCATOR_BYTES, said, where)
    : { ...said, follows: limit };
  if (begin + size !== follows) {
    throw badZip(where, "its directory is not where its end record says");
  }
  if (size > MAX_DIRECTORY_BYTES || count > MAX_ENTRIES) {
    throw badZip(where, `it claims ${count} entries, more than the ${MAX_ENTRIES} that are read`);
  }
  if (count * CENTRAL_BYTES > size) {
    throw badZip(where, "its directory is too short for its entries");
  }
  return { count, begin, end: begin + size };
}

/** Place of the end record in an archive's last bytes: its comment must reach the end exactly. */
function endRecord(tail: Uint8Array): number {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    const record = view(tail, at);
    const fits = record.getUint32(0, true) === SIGNATURE.end &&
      at + END_BYTES + record.getUint16(20, true) === tail.length;
    if (fits) return at;
  }
  return -1;
}

interface EndFields {
  readonly count: number;
  readonly size: number;
  readonly begin: number;
}

/** The zip64 end record; a field of the short one that is not all ones must agree with it. */
async function readEnd64(
  source: ByteSource,
  locator: DataView,
  limit: number,
  short: EndFields,
  where: string,
): Promise<EndFields & { follows: number }> {
  const at = safe(locator.getBigUint64(8, true), where);
  if (at + END64_BYTES > limit) throw badZip(where, "its zip64 end record lies outside");
  const record = view(await source.read(at, at + END64_BYTES));
  if (record.getUint32(0, true) !== SIGNATURE.end64) {
    throw badZip(where, "its zip64 end record is not where its locator says");
  }
  const [onDisk, count, size, begin] = [24, 32, 40, 48]
    .map((field) => safe(record.getBigUint64(field, true), where));
  const agrees = (field: number, said: number, ones: number) => said === ones || said === field;
  const contradicts = onDisk !== count || record.getUint32(16, true) !== 0 ||
    record.getUint32(20, true) !== 0 || !agrees(count, short.count, 0xffff) ||
    !agrees(size, short.size, 0xffffffff) || !agrees(begin, short.begin, 0xffffffff);
  if (contradicts) throw badZip(where, "its two end records contradict each other");
  return { count, size, begin, follows: at };
}

/** Every entry by name; each ends at the latest where the next one begins. */
function parseDirectory(
  bytes: Uint8Array,
  directory: Directory,
  where: string,
): Map<string, Place> {
  const places = new Map<string, Place>();
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    const { place, length } = parseCentral(bytes.subarray(at), where);
    if (places.has(place.name)) throw badZip(where, `it names ${JSON.stringify(place.name)} twice`);
    places.set(place.name, place);
    at += length;
  }
  if (at !== bytes.length) throw badZip(where, "bytes follow the last entry of its directory");
  const ordered = [...places.values()].sort((a, b) => a.begin - b.begin);
  for (const [i, place] of ordered.entries()) {
    place.end = ordered[i + 1]?.begin ?? directory.begin;
    const least = place.begin + LOCAL_BYTES + place.packedSize;
    if (least > place.end) {
      throw badZip(where, `entry ${JSON.stringify(place.name)} overlaps what follows it`);
    }
  }
  return places;
}

/** One record of the central directory, at the start of `bytes`, and its length. */
function parseCentral(
  bytes: Uint8Array<ArrayBufferLike>,
  where: string,
): { place: Place; length: number } {
  if (bytes.length < CENTRAL_BYTES) throw badZip(where, "its directory is cut off");
  const record = view(bytes);
  if (record.getUint32(0, true) !== SIGNATURE.central) {
    throw badZip(where, "its directory has a damaged record");
  }
  const [nameLength, extraLength, commentLength] = [28, 30, 32]
    .map((field) => record.getUint16(field, true));
  const length = CENTRAL_BYTES + nameLength + extraLength + commentLength;
  if (length > bytes.length) throw badZip(where, "its directory is cut off");
  const name = entryName(bytes.subarray(CENTRAL_BYTES, CENTRAL_BYTES + nameLength), where);
  const extraAt = CENTRAL_BYTES + nameLength;
  const extra = bytes.subarray(extraAt, extraAt + extraLength);
  const fields = [24, 20, 42].map((field) => record.getUint32(field, true));
  const [size, packedSize, begin] = widened(fields, extra, name, where);
  const flags = record.getUint16(8, true);
  const method = record.getUint16(10, true);
  checkReadable(name, { flags, method, size, packedSize, disk: record.getUint16(34, true) }, where);
  const deflated = method === DEFLATED;
  const crc = record.getUint32(16, true);
  return { place: { name, size, packedSize, crc32: crc, deflated, begin, end: 0 }, length };
}

function checkReadable(
  name: string,
  { flags, method, size, packedSize, disk }: Record<
    "flags" | "method" | "size" | "packedSize" | "disk",
    number
  >,
  where: string,
): void {
  const entry = `entry ${JSON.stringify(name)}`;
  if (flags & ENCRYPTED) throw badZip(where, `${entry} is encrypted`);
  if (disk !== 0) throw badZip(where, `${entry} lies in another file`);
  if (method !== STORED && method !== DEFLATED) {
    throw badZip(
      where,
      `${entry} is packed by method ${method}, expected 0 (stored) or 8 (deflated)`,
    );
  }
  if (method === STORED && size !== packedSize) {
    throw badZip(where, `${entry} is stored in ${packedSize} bytes but claims ${size}`);
  }
  if (method === DEFLATED && size > packedSize * MAX_DEFLATE_RATIO) {
    throw badZip(where, `${entry} claims ${size} bytes, which ${packedSize} cannot inflate to`);
  }
}

/** An entry's name. Entries are looked up by it, never written: any text without NUL will do. */
function entryName(bytes: Uint8Array, where: string): string {
  if (bytes.length > MAX_NAME_BYTES) {
    throw badZip(where, `an entry's name has ${bytes.length} bytes, more than ${MAX_NAME_BYTES}`);
  }
  try {
    const name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (name !== "" && !name.includes("\0")) return name;
  } catch {
    // said below
  }
  throw badZip(where, "an entry's name is not text in UTF-8");
}

/**
 * 32-bit fields in the order of the zip64 record, each that is all ones replaced by the 64 bits that
 * the record has for it.
 */
function widened(
  fields: readonly number[],
  extra: Uint8Array,
  name: string,
  where: string,
): number[] {
  if (!fields.includes(0xffffffff)) return [...fields];
  const wide = zip64Fields(extra);
  let at = 0;
  return fields.map((field) => {
    if (field !== 0xffffffff) return field;
    if (!wide || at + 8 > wide.length) {
      throw badZip(where, `entry ${JSON.stringify(name)} lacks its zip64 sizes`);
    }
    at += 8;
    return safe(view(wide, at - 8).getBigUint64(0, true), where);
  });
}

/** The zip64 record among an entry's extra fields. */
function zip64Fields(extra: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at + 4 <= extra.length;) {
    const field = view(extra, at);
    const begin = at + 4;
    at = begin + field.getUint16(2, true);
    if (field.getUint16(0, true) === ZIP64_EXTRA) return extra.subarray(begin, at);
  }
}

/**
 * Where an entry's packed bytes lie.
 *
 * @throws InputError when its local header does not agree with the directory
 */
export async function dataRange(source: ByteSource, place: Place, where: string): Promise<Range> {
  const { name, begin, end } = place;
  const header = view(await source.read(begin, begin + LOCAL_BYTES));
  const nameEnd = begin + LOCAL_BYTES + header.getUint16(26, true);
  const dataBegin = nameEnd + header.getUint16(28, true);
  const dataEnd = dataBegin + place.packedSize;
  const entry = `entry ${JSON.stringify(name)}`;
  if (header.getUint32(0, true) !== SIGNATURE.local || dataEnd > end) {
    throw badZip(where, `${entry} is not where its directory says`);
  }
  const variable = await source.read(begin + LOCAL_BYTES, dataBegin);
  const localName = entryName(variable.subarray(0, nameEnd - begin - LOCAL_BYTES), where);
  const extra = variable.subarray(nameEnd - begin - LOCAL_BYTES);
  const flags = header.getUint16(6, true);
  const [size, packedSize] = widened(
    [header.getUint32(22, true), header.getUint32(18, true)],
    extra,
    name,
    where,
  );
  // a writer that could not seek back leaves zeros here and the true values after the data
  const unset = (value: number) => (flags & SIZES_FOLLOW) !== 0 && value === 0;
  const crc = header.getUint32(14, true);
  const agrees = localName === name && (flags & ENCRYPTED) === 0 &&
    header.getUint16(8, true) === (place.deflated ? DEFLATED : STORED) &&
    (size === place.size || unset(size)) &&
    (packedSize === place.packedSize || unset(packedSize)) &&
    (crc === place.crc32 || unset(crc));
  if (!agrees) throw badZip(where, `${entry} has a header that contradicts the directory`);
  return { begin: dataBegin, end: dataEnd };
}

function safe(value: bigint, where: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw badZip(where, `it claims a size of ${value}`);
  return Number(value);
}

function view(bytes: Uint8Array, at = 0): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, bytes.byteLength - at);
}

/** What to throw for an archive that is not as it should be. */
export function badZip(where: string, what: string): InputError {
  return new InputError(`${where} is not a valid ZIP archive: ${what}; fetch it again.`);
}
