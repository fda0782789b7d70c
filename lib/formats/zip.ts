/**
 * ZIP archives as containers of arrays (.npz, .pt): entries are read by ranges, so an archive of any
 * size takes little memory, and nothing is allocated because a file says so.
 */

import { type ByteSource, checkRange } from "./byte_source.ts";
import { crc32 } from "./crc32.ts";
import type { InputError } from "./input_error.ts";
import {
  badZip,
  dataRange,
  type Place,
  type Range,
  readDirectory,
  type ZipEntry,
} from "./zip_directory.ts";

/** Largest entry that is inflated, in bytes; stored entries may have any size. */
export const MAX_INFLATED_BYTES = 2 ** 31;

const INFLATE_STEP = 2 ** 20;

/** A checked archive. */
export interface ZipArchive {
  /** Entries by name, in the order of the directory; folders are left out. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /**
   * An entry as a source of its inflated bytes. Ranges of a stored entry are ranges of the archive;
   * ranges of a deflated one are inflated from its start, and only they are kept. The checksum is
   * compared where a read sees the entry whole: all of a stored one, or up to the end of a deflated
   * one.
   *
   * @throws InputError when there is no such entry, its local header says something else than the
   *   directory, or it is deflated and inflates to more than {@link MAX_INFLATED_BYTES}; reads throw
   *   it when the entry is damaged
   */
  open(name: string): Promise<ByteSource>;
}

/**
 * Reads and checks the directory of an archive.
 *
 * @param where names the archive in messages
 * @throws InputError when it is not an archive, damaged, or uses what is not read: several files,
 *   encryption, methods other than stored and deflated
 */
export async function openZip(source: ByteSource, where: string): Promise<ZipArchive> {
  const places = await readDirectory(source, where);
  return {
    entries: new Map([...places].filter(([name]) => !name.endsWith("/"))),
    async open(name) {
      const place = places.get(name);
      if (!place) throw badZip(where, `it has no entry ${JSON.stringify(name)}`);
      const data = await dataRange(source, place, where);
      return place.deflated
        ? inflatedEntry(source, place, data, where)
        : storedEntry(source, place, data, where);
    },
  };
}

function storedEntry(source: ByteSource, place: Place, data: Range, where: string): ByteSource {
  return {
    size: place.size,
    async read(begin, end) {
      checkRange(begin, end, place.size);
      const bytes = await source.read(data.begin + begin, data.begin + end);
      if (bytes.length === place.size) checkSum(crc32(bytes), place, where);
      return bytes;
    },
  };
}

function inflatedEntry(source: ByteSource, place: Place, data: Range, where: string): ByteSource {
  const { name, size } = place;
  if (size > MAX_INFLATED_BYTES) {
    throw badZip(where, `entry ${JSON.stringify(name)} inflates to ${size} bytes, more than 2 GiB`);
  }
  return {
    size,
    async read(begin, end) {
      checkRange(begin, end, size);
      const bytes = new Uint8Array(end - begin);
      let [at, sum] = [0, 0];
      for await (const chunk of inflate(source, data, place, where)) {
        const next = at + chunk.length;
        if (next > size) throw damaged(place, where, `inflates to more than its ${size} bytes`);
        if (next > begin && at < end) {
          const from = Math.max(begin - at, 0);
          bytes.set(chunk.subarray(from, Math.min(end - at, chunk.length)), at + from - begin);
        }
        sum = crc32(chunk, sum);
        at = next;
        if (at >= end && end < size) return bytes;
      }
      if (at !== size) throw damaged(place, where, `inflates to ${at} bytes, not ${size}`);
      checkSum(sum, place, where);
      return bytes;
    },
  };
}

/** The inflated bytes of an entry, piece by piece; packed bytes are read as they are needed. */
async function* inflate(
  source: ByteSource,
  { begin, end }: Range,
  place: Place,
  where: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let at = begin;
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const next = Math.min(at + INFLATE_STEP, end);
      if (next > at) controller.enqueue(await source.read(at, next));
      at = next;
      if (at === end) controller.close();
    },
  }, { highWaterMark: 0 });
  try {
    for await (const chunk of packed.pipeThrough(new DecompressionStream("deflate-raw"))) {
      yield chunk;
    }
  } catch (error) {
    // what is wrong with the deflated bytes themselves; reads of the archive say it better
    if (error instanceof TypeError) throw damaged(place, where, "cannot be inflated");
    throw error;
  }
}

function checkSum(sum: number, place: Place, where: string): void {
  if (sum !== place.crc32) throw damaged(place, where, "does not match its checksum");
}

function damaged({ name }: ZipEntry, where: string, what: string): InputError {
  return badZip(where, `entry ${JSON.stringify(name)} ${what}`);
}
