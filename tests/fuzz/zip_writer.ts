/** ZIP archives with whatever lies a test wants in them. */
import { deflateRawSync } from "node:zlib";
import { crc32 } from "../../lib/formats/crc32.ts";
import { memorySource } from "../../lib/formats/byte_source.ts";
import { openZip } from "../../lib/formats/zip.ts";
import { type Bytes, concat, integer, interesting, mutateBytes, utf8 } from "./bytes.ts";
import type { Random } from "./random.ts";
import { WHERE } from "./target.ts";

/** A file in an archive. */
export interface Entry {
  name: string;
  data: Bytes;
  deflated: boolean;
}

/** Changes what entries hold, in place. */
export type MutateEntries = (entries: Entry[], random: Random) => void;

/** The entries of a good archive. */
export async function entriesOf(archive: Bytes): Promise<Entry[]> {
  const zip = await openZip(memorySource(archive), WHERE);
  return await Promise.all(
    Array.from(zip.entries.values(), async ({ name, size, deflated }) => ({
      name,
      deflated,
      data: await (await zip.open(name)).read(0, size),
    })),
  );
}

/** An archive of changed entries, with checksums that fit, or of entries with records that lie. */
export function mutateArchive(
  entries: readonly Entry[],
  random: Random,
  seeds: readonly Bytes[],
  mutate: MutateEntries,
): Bytes {
  const changed = entries.map((entry) => ({ ...entry }));
  const kind = random.below(10);
  if (kind < 5) mutate(changed, random);
  if (kind === 5) rearrange(changed, random);
  const { bytes, fields } = writeZip(changed);
  if (kind > 5 && kind < 9) {
    for (let i = random.few(); i > 0; i--) lie(bytes, random.pick(fields), random);
  }
  return kind === 9 ? mutateBytes(bytes, random, seeds) : bytes;
}

function rearrange(entries: Entry[], random: Random): void {
  for (let i = random.few(); i > 0; i--) {
    const entry = random.pick(entries);
    const other = random.pick(entries);
    if (!entry) return;
    random.pick([
      () => entry.name = other.name,
      () => entry.name = random.pick(["", "\0", "../x", "a/", "n".repeat(2000), "\n", "__proto__"]),
      () => entry.name = entry.name.slice(0, random.below(entry.name.length)),
      () => entries.push({ ...entry, name: `${entry.name}2` }),
      () => entries.splice(entries.indexOf(entry), 1),
      () => [entry.data, other.data] = [other.data, entry.data],
      () => entry.deflated = !entry.deflated,
      () => entry.data = entry.data.slice(0, random.below(entry.data.length + 1)),
      () => entry.data = new Uint8Array(random.below(1 << 22)),
    ])();
  }
}

/** A number in a record. */
interface Field {
  readonly at: number;
  readonly width: 2 | 4;
}

function lie(bytes: Bytes, { at, width }: Field, random: Random): void {
  const value = random.chance(50)
    ? interesting(random)
    : BigInt(bytes[at] + random.pick([-1, 1, 4, 30]));
  bytes.set(integer(value, width), at);
}

/** The archive, and where its records have numbers. */
export function writeZip(entries: readonly Entry[]): { bytes: Bytes; fields: Field[] } {
  const pieces: Bytes[] = [];
  const fields: Field[] = [];
  let at = 0;
  const record = (...numbers: readonly (readonly [number, 2 | 4])[]) => {
    for (const [value, width] of numbers) {
      fields.push({ at, width });
      add(integer(value, width));
    }
  };
  const add = (bytes: Bytes) => {
    pieces.push(bytes);
    at += bytes.length;
  };
  const central: (() => void)[] = [];
  for (const { name, data, deflated } of entries) {
    const packed: Bytes = deflated ? new Uint8Array(deflateRawSync(data)) : data;
    const named = utf8(name);
    const common = [
      [0, 2],
      [deflated ? 8 : 0, 2],
      [0, 4],
      [crc32(data), 4],
      [packed.length, 4],
      [data.length, 4],
      [named.length, 2],
      [0, 2],
    ] as const;
    const begin = at;
    record([0x04034b50, 4], [20, 2], ...common);
    add(named);
    add(packed);
    central.push(() => {
      record([0x02014b50, 4], [20, 2], [20, 2], ...common);
      record([0, 2], [0, 2], [0, 2], [0, 4], [begin, 4]);
      add(named);
    });
  }
  const directory = at;
  for (const write of central) write();
  const size = at - directory;
  record([0x06054b50, 4], [0, 2], [0, 2], [entries.length, 2], [entries.length, 2]);
  record([size, 4], [directory, 4], [0, 2]);
  return { bytes: concat(...pieces), fields };
}
