import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import { type ByteSource, memorySource } from "./byte_source.ts";
import { crc32 } from "./crc32.ts";
import { InputError } from "./input_error.ts";
import { openZip } from "./zip.ts";

/** One entry of an archive that a test writes; what is left out is as it should be. */
interface Written {
  readonly name?: string;
  readonly data?: Uint8Array<ArrayBuffer>;
  readonly method?: number;
  /** What the directory claims. */
  readonly size?: number;
  readonly packedSize?: number;
  readonly flags?: number;
  readonly begin?: number;
  /** The checksum in both places. */
  readonly crc?: number;
  /** What the local header claims. */
  readonly localName?: string;
  readonly localSize?: number;
  /** 64-bit values where the directory's 32 bits are all ones, in its order. */
  readonly wide?: readonly bigint[];
}

const text = (content: string) => new TextEncoder().encode(content);
const le = (bytes: number, value: number | bigint) => {
  const wide = new DataView(new ArrayBuffer(8));
  wide.setBigUint64(0, BigInt(value), true);
  return new Uint8Array(wide.buffer, 0, bytes);
};
const joined = (parts: readonly Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

/** An archive byte by byte, with whatever lies a test wants in it. */
function archive(
  entries: readonly Written[],
  end: { count?: number; size?: number; comment?: string } = {},
): Uint8Array<ArrayBuffer> {
  const [locals, central]: [Uint8Array[], Uint8Array[]] = [[], []];
  let at = 0;
  for (const entry of entries) {
    const { name = "a", data = text("hello"), method = 0, flags = 0 } = entry;
    const packed = method === 8 ? new Uint8Array(deflateRawSync(data)) : data;
    const { size = data.length, packedSize = packed.length, crc = crc32(data) } = entry;
    const { begin = at, localName = name, localSize = data.length } = entry;
    const extra = entry.wide
      ? joined([le(2, 1), le(2, 8 * entry.wide.length), ...entry.wide.map((n) => le(8, n))])
      : new Uint8Array();
    const common = [le(2, flags), le(2, method), le(4, 0)];
    locals.push(joined([
      le(4, 0x04034b50),
      le(2, 20),
      ...common,
      ...[crc, packed.length, localSize].map((n) => le(4, n)),
      ...[text(localName).length, 0].map((n) => le(2, n)),
      text(localName),
      packed,
    ]));
    central.push(joined([
      le(4, 0x02014b50),
      le(4, 0),
      ...common,
      ...[crc, packedSize, size].map((n) => le(4, n)),
      ...[text(name).length, extra.length, 0, 0, 0].map((n) => le(2, n)),
      le(4, 0),
      le(4, begin),
      text(name),
      extra,
    ]));
    at += locals[locals.length - 1].length;
  }
  const directory = joined(central);
  const comment = text(end.comment ?? "");
  const count = end.count ?? entries.length;
  return joined([
    ...locals,
    directory,
    joined([le(4, 0x06054b50), le(4, 0), le(2, count), le(2, count)]),
    joined([le(4, end.size ?? directory.length), le(4, at), le(2, comment.length), comment]),
  ]);
}

const open = (bytes: Uint8Array) => openZip(memorySource(bytes), "x.zip");

/** The message of the InputError that opening the archive and reading entry `a` ends in. */
async function refusal(bytes: Uint8Array): Promise<string> {
  try {
    const entry = await (await open(bytes)).open("a");
    await entry.read(0, entry.size);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, /^x\.zip is not a valid ZIP archive: .*; fetch it again\.$/);
    return error.message;
  }
  assert.fail("nothing was refused");
}

Deno.test("stored and deflated entries are read whole and by ranges", async () => {
  const data = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >> 7);
  const zip = await open(archive([
    { name: "folder/" },
    { name: "folder/é", data },
    { name: "b", data, method: 8 },
    { name: "empty", data: new Uint8Array() },
    { name: "deflated empty", data: new Uint8Array(), method: 8 },
  ], { comment: "with a comment" }));
  assert.deepEqual([...zip.entries.keys()], ["folder/é", "b", "empty", "deflated empty"]);
  for (const name of ["folder/é", "b"]) {
    const entry = await zip.open(name);
    assert.equal(entry.size, data.length);
    for (const [begin, end] of [[0, 200_000], [0, 0], [7, 70_001], [199_999, 200_000]]) {
      assert.deepEqual(await entry.read(begin, end), data.slice(begin, end));
    }
    await assert.rejects(entry.read(0, 200_001), RangeError);
  }
  for (const name of ["empty", "deflated empty"]) {
    assert.deepEqual(await (await zip.open(name)).read(0, 0), new Uint8Array());
  }
});

Deno.test("an archive is read by ranges, never whole", async () => {
  const bytes = archive([{ name: "big", data: new Uint8Array(500_000) }, {}]);
  let read = 0;
  const source: ByteSource = {
    size: bytes.length,
    async read(begin, end) {
      read += end - begin;
      return await memorySource(bytes).read(begin, end);
    },
  };
  const entry = await (await openZip(source, "x.zip")).open("big");
  await entry.read(1000, 1100);
  assert.ok(read < 70_000, `${read} bytes were read`);
});

Deno.test("an archive beyond 4 GiB has its places in 64 bits", async () => {
  // 5 GiB of nothing between a small entry and the directory, as a source that makes them up
  const gap = 5 * 2 ** 30;
  const local = archive([{}]).subarray(0, 30 + 1 + 5);
  const first = joined([
    ...[le(4, 0x04034b50), le(2, 45), le(8, 0), le(4, 0), le(4, 0xffffffff), le(4, 0xffffffff)],
    ...[le(2, 1), le(2, 20), text("b"), le(2, 1), le(2, 16), le(8, gap), le(8, gap)],
  ]);
  const record = (name: string, sizes: Uint8Array[], begin: number, wide: bigint[]) =>
    joined([
      ...[le(4, 0x02014b50), le(4, 0), le(8, 0), ...sizes],
      ...[le(2, 1), le(2, wide.length > 0 ? 4 + 8 * wide.length : 0), le(6, 0), le(4, 0)],
      ...[le(4, begin), text(name)],
      ...(wide.length > 0 ? [le(2, 1), le(2, 8 * wide.length), ...wide.map((n) => le(8, n))] : []),
    ]);
  const aBegin = first.length + gap;
  const directory = joined([
    record("b", [le(4, 0), le(4, 0xffffffff), le(4, 0xffffffff)], 0, [BigInt(gap), BigInt(gap)]),
    record("a", [le(4, crc32(text("hello"))), le(4, 5), le(4, 5)], 0xffffffff, [BigInt(aBegin)]),
  ]);
  const at = aBegin + local.length;
  const ends = joined([
    ...[le(4, 0x06064b50), le(8, 44), le(4, 0), le(8, 0), le(8, 2), le(8, 2)],
    ...[le(8, directory.length), le(8, at)],
    ...[le(4, 0x07064b50), le(4, 0), le(8, at + directory.length), le(4, 1)],
    ...[le(4, 0x06054b50), le(4, 0), le(2, 2), le(2, 2), le(4, directory.length)],
    ...[le(4, 0xffffffff), le(2, 0)],
  ]);
  const tail = joined([local, directory, ends]);
  const source: ByteSource = {
    size: aBegin + tail.length,
    // deno-lint-ignore require-await
    async read(begin, end) {
      const bytes = new Uint8Array(end - begin);
      for (const [piece, place] of [[first, 0], [tail, aBegin]] as const) {
        for (let i = 0; i < piece.length; i++) {
          if (place + i >= begin && place + i < end) bytes[place + i - begin] = piece[i];
        }
      }
      return bytes;
    },
  };
  const zip = await openZip(source, "x.zip");
  assert.equal(zip.entries.get("b")?.size, gap);
  const a = await zip.open("a");
  assert.deepEqual(await a.read(0, 5), text("hello"));
  assert.deepEqual(await (await zip.open("b")).read(gap - 3, gap), new Uint8Array(3));
});

/** What a forged archive is refused for. */
const FORGERIES: readonly [string, RegExp, Uint8Array][] = [
  ["no archive at all", /no end record/, text("not an archive, but longer than an end record")],
  ["an empty file", /no end record/, new Uint8Array()],
  ["a wrong checksum", /does not match its checksum/, archive([{ crc: 1 }])],
  ["a wrong checksum, deflated", /its checksum/, archive([{ crc: 1, method: 8 }])],
  ["encryption", /"a" is encrypted/, archive([{ flags: 1 }])],
  ["an unknown method", /packed by method 12, expected 0/, archive([{ method: 12 }])],
  ["a name twice", /names "a" twice/, archive([{}, {}])],
  ["a name that is not text", /not text/, archive([{ name: "\0" }])],
  ["no name", /not text/, archive([{ name: "" }])],
  [
    "a name of 2,000 bytes",
    /has 2000 bytes, more than 1024/,
    archive([{ name: "n".repeat(2000) }]),
  ],
  ["a stored entry longer than its data", /overlaps/, archive([{ size: 99, packedSize: 99 }])],
  ["a stored entry of two sizes", /stored in 5 bytes but claims 6/, archive([{ size: 6 }])],
  [
    "a size that deflate cannot reach",
    /claims 4294967294 bytes, which \d+ cannot inflate to/,
    archive([{ method: 8, size: 0xfffffffe }]),
  ],
  [
    "a bomb: more than it claims",
    /inflates to more than its 9 bytes/,
    archive([{ method: 8, data: new Uint8Array(100_000), size: 9, localSize: 9 }]),
  ],
  [
    "less than it claims",
    /inflates to 5 bytes, not 6/,
    archive([{ method: 8, size: 6, localSize: 6 }]),
  ],
  [
    "overlapping entries: many names for one bomb",
    /"a" overlaps|"b" overlaps/,
    archive([{ name: "a" }, { name: "b", begin: 0 }]),
  ],
  [
    "an entry in the middle of another",
    /overlaps/,
    archive([{ data: new Uint8Array(200) }, { name: "b", begin: 50 }]),
  ],
  ["an entry where none is", /not where its directory says/, archive([{ begin: 0 }]).with(0, 0)],
  ["another name in the local header", /contradicts/, archive([{ localName: "b" }])],
  ["another size in the local header", /contradicts/, archive([{ localSize: 6 }])],
  ["an offset beyond the file", /overlaps/, archive([{ begin: 10_000 }])],
  ["a zip64 size that is missing", /lacks its zip64 sizes/, archive([{ size: 0xffffffff }])],
  [
    "a zip64 size beyond 2^53",
    /claims a size of 18446744073709551615/,
    archive([{ size: 0xffffffff, wide: [2n ** 64n - 1n] }]),
  ],
  [
    "more entries than the directory holds",
    /too short for its entries/,
    archive([{}], { count: 9 }),
  ],
  ["fewer entries", /bytes follow the last entry/, archive([{}, { name: "b" }], { count: 1 })],
  ["a directory elsewhere", /not where its end record says/, archive([{}], { size: 5 })],
];

for (const [name, message, bytes] of FORGERIES) {
  Deno.test(`refused: ${name}`, async () => assert.match(await refusal(bytes), message));
}

Deno.test("an archive cut off anywhere is refused", async () => {
  const bytes = archive([{}, { name: "b", method: 8 }]);
  for (let length = 0; length < bytes.length; length++) await refusal(bytes.subarray(0, length));
});

Deno.test("any one byte changed gives the same bytes or a refusal", async () => {
  const bytes = archive([{ method: 8 }, { name: "b" }]);
  for (let at = 0; at < bytes.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      const changed = bytes.with(at, bytes[at] ^ flip);
      try {
        const entry = await (await open(changed)).open("a");
        assert.deepEqual(await entry.read(0, entry.size), text("hello"));
      } catch (error) {
        assert.ok(error instanceof InputError, `byte ${at}: ${error}`);
      }
    }
  }
});
