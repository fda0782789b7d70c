/** Parquet files of every codec and encoding that is read. */
import { NATIVE_CODECS } from "../../../lib/data/native_codecs.ts";
import { memorySource } from "../../../lib/formats/byte_source.ts";
import { openParquet } from "../../../lib/formats/parquet/parquet.ts";
import { type Bytes, concat, integer, interesting, mutateBytes, utf8 } from "../bytes.ts";
import type { Random } from "../random.ts";
import { fixtures } from "../seeds.ts";
import { type Target, WHERE } from "../target.ts";
import { readThrift, type Thrift, thriftValues, writeThrift } from "../thrift.ts";

/** Parquet, as files of data sets are read. */
export const parquet: Target = {
  name: "parquet",
  share: 8,
  seeds: () => Promise.resolve(seeds),
  mutate: mutateParquet,
  async read(bytes) {
    const file = await openParquet(memorySource(bytes), WHERE, NATIVE_CODECS);
    for (const column of file.columns.slice(0, 20)) {
      await file.read([column], 0, Math.min(file.rows, 5000));
      await file.read([column], Math.max(0, file.rows - 100), file.rows);
    }
  },
};

const seeds = fixtures(
  ...["plain", "snappy", "gzip", "zstd", "brotli", "lz4", "delta", "labels", "nested"]
    .map((name) => `datasets/${name}.parquet`),
);
const known = new Map(seeds.map((seed) => [seed, partsOf(seed)]));

/** The bytes before the footer, the footer, and where pages begin. */
interface Parts {
  readonly pages: Bytes;
  readonly footer: Thrift;
  readonly pageStarts: readonly number[];
}

function partsOf(file: Bytes): Parts {
  const length = new DataView(file.buffer).getUint32(file.length - 8, true);
  const begin = file.length - 8 - length;
  const footer = readThrift(file.slice(begin, -8));
  // every number of the footer that can be the offset of a page, most of which are
  const pageStarts = thriftValues(footer).flatMap((node) =>
    "value" in node ? Number(node.value) : []
  )
    .filter((value) => value >= 4 && value < begin);
  return { pages: file.slice(0, begin), footer, pageStarts };
}

function mutateParquet(seed: Bytes, random: Random, seeds: readonly Bytes[]): Bytes {
  if (random.chance(10)) return mutateBytes(seed, random, seeds);
  const { pages, footer, pageStarts } = known.get(seed)!;
  const changedPages = pages.slice();
  let changedFooter = footer;
  if (random.chance(50)) {
    changedFooter = structuredClone(footer);
    for (let i = random.few(); i > 0; i--) changeFooter(changedFooter, random);
  } else {
    for (let i = random.few(); i > 0; i--) {
      changePage(changedPages, random.pick(pageStarts), random);
    }
  }
  const bytes = writeThrift(changedFooter);
  const length = random.chance(3) ? interesting(random) : bytes.length;
  return concat(changedPages, bytes, integer(length, 4), utf8("PAR1"));
}

/** Changes at the begin of a page: its header, or the levels and counts of its values. */
function changePage(pages: Bytes, start: number, random: Random): void {
  const at = start + random.below(random.pick([16, 64, 400]));
  if (at + 5 >= pages.length) return;
  random.pick([
    () => pages[at] ^= 1 << random.below(8),
    () => pages[at] += random.pick([-1, 1, 2, -2]),
    () => pages[at] = random.pick([0, 1, 2, 0x7f, 0x80, 0xff]),
    () => pages.set([0xff, 0xff, 0xff, 0xff, 0x0f], at),
    () => pages.set([0xfe, 0xff, 0xff, 0xff, 0x0f], at),
    () => pages.set([0x80, 0x80, 0x80, 0x80, 0x01], at),
    () => pages.copyWithin(at, start, start + random.few() ** 2),
  ])();
}

function changeFooter(root: Thrift, random: Random): void {
  const nodes = thriftValues(root);
  const node = random.pick(nodes);
  const holders = nodes.filter((node) => "fields" in node || "items" in node);
  const holder = random.pick(holders);
  if (random.chance(20)) {
    if ("fields" in holder && holder.fields.length > 0) {
      const at = random.below(holder.fields.length);
      random.pick([
        () => holder.fields.splice(at, 1),
        () => holder.fields[at][0] = random.below(15),
        () => holder.fields[at][1] = structuredClone(random.pick(nodes)),
        () => holder.fields[at][1] = random.pick(EXTREME)(),
      ])();
    }
  } else if ("items" in node) {
    random.pick([
      () => node.items.push(...structuredClone(node.items).slice(0, 100)),
      () => node.items.splice(random.below(node.items.length), 1),
      () => node.claimed = interesting(random),
      () => node.of = random.below(13),
    ])();
  } else if ("value" in node) {
    node.value = random.pick([
      interesting(random),
      -interesting(random),
      node.value + 1n,
      node.value - 1n,
      node.value * 2n,
      BigInt(random.below(12)),
    ]);
  } else if ("bytes" in node) {
    node.bytes = random.pick([
      new Uint8Array(),
      utf8("__proto__"),
      utf8("\n\u001b[2J\u2028"),
      utf8("t".repeat(20_000)),
      mutateBytes(concat(node.bytes, [0]), random, []),
    ]);
  }
}

/** Values that are deep, or claim to be long. */
const EXTREME: readonly (() => Thrift)[] = [
  () => ({ type: 9, of: 12, items: [], claimed: 0x7fff_ffffn }),
  () => ({ type: 9, of: 1, items: [], claimed: 33_000_000n }),
  () => ({ type: 9, of: 9, items: [], claimed: 33_000_000n }),
  () => deep(100),
  () => deep(30_000),
  () => ({
    type: 9,
    of: 12,
    items: Array.from({ length: 50_000 }, () => ({ type: 12, fields: [] })),
  }),
];

/** Lists in lists; each of those that hold one claims to hold a million. */
function deep(levels: number): Thrift {
  const pieces = new Uint8Array(levels * 5);
  for (let at = 0; at < pieces.length; at += 5) pieces.set([0xf9, 0xff, 0xff, 0xff, 0x07], at);
  // bytes that are written as they are: the header of the first list, then the others
  return { type: 9, of: 9, items: [{ type: 7, bytes: pieces }], claimed: 1_000_000n };
}
