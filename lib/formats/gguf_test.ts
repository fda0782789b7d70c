import assert from "node:assert/strict";
import { Fixture, projectPath } from "../../tests/support/tensors.ts";
import { seededRandom } from "../../tests/support/numbers.ts";
import { longTest } from "../../tests/support/opt_in.ts";
import { type ByteSource, memorySource } from "./byte_source.ts";
import { toFloat32 } from "./dtype.ts";
import { type GgufHeader, ggufTensors, parseGguf } from "./gguf.ts";
import { loadGgufTokenizer } from "./gguf_tokenizer.ts";
import { MAX_HEADER_BYTES } from "./gguf_values.ts";
import { InputError } from "./input_error.ts";

const BLOCKS = await Deno.readFile(projectPath("tests/fixtures/gguf/blocks.gguf"));
const TINY = await Deno.readFile(projectPath("tests/fixtures/gguf/tiny.gguf"));

const [UINT8, UINT32, STRING, ARRAY] = [0, 4, 8, 9];
const [F32, Q4_0] = [0, 2];

/** The parts of a GGUF file, each as little-endian bytes. */
const u8 = (value: number) => [value];
const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
const u64 = (value: bigint | number) => [
  ...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer),
];
const text = (value: string) => {
  const bytes = new TextEncoder().encode(value);
  return [...u64(bytes.length), ...bytes];
};

interface Parts {
  magic?: string;
  version?: number;
  metadata?: number[][];
  tensors?: number[][];
  metadataCount?: bigint | number;
  tensorCount?: bigint | number;
  data?: number;
}

/** A file of these parts; its data follow at the next multiple of 32. */
function file(parts: Parts): Uint8Array<ArrayBuffer> {
  const { magic = "GGUF", version = 3, metadata = [], tensors = [], data = 0 } = parts;
  const header = [
    ...new TextEncoder().encode(magic),
    ...u32(version),
    ...u64(parts.tensorCount ?? tensors.length),
    ...u64(parts.metadataCount ?? metadata.length),
    ...metadata.flat(),
    ...tensors.flat(),
  ];
  const bytes = new Uint8Array(Math.ceil(header.length / 32) * 32 + data);
  bytes.set(header);
  return bytes;
}

/** A tensor of the list; `ne` is innermost dimension first. */
function tensor(name: string, ne: (bigint | number)[], type = F32, offset: bigint | number = 0) {
  return [...text(name), ...u32(ne.length), ...ne.flatMap(u64), ...u32(type), ...u64(offset)];
}

function array(key: string, type: number, count: bigint | number, elements: number[]) {
  return [...text(key), ...u32(ARRAY), ...u32(type), ...u64(count), ...elements];
}

async function refused(bytes: Uint8Array, why: RegExp): Promise<void> {
  await assert.rejects(parseGguf(memorySource(bytes), "m.gguf"), (error: Error) => {
    assert.ok(error instanceof InputError, String(error.stack));
    assert.match(error.message, /^m\.gguf[^\n]+\.$/);
    assert.match(error.message, why);
    assert.ok(error.message.length < 600, "not a whole string of the file");
    return true;
  });
}

Deno.test("gguf: metadata of every type, as gguf-py wrote them", async () => {
  const { metadata } = await parseGguf(memorySource(BLOCKS), "blocks.gguf");
  assert.deepEqual(
    Object.fromEntries([...metadata].map(([key, value]) => [key.replace("test.", ""), value])),
    {
      "general.architecture": "llama",
      uint8: 200,
      int8: -3,
      uint16: 60000,
      int16: -3,
      uint32: 60000,
      int32: -3,
      uint64: 60000,
      int64: -3,
      large: 2n ** 63n + 1n,
      float32: 0.5,
      float64: 0.1,
      bool: true,
      string: "Grüße, мир",
      strings: ["a", "", "日本"],
      numbers: Int32Array.of(1, -2, 3),
      nested: [Int32Array.of(1, 2), Int32Array.of(3)],
    },
  );
});

Deno.test("gguf: every tensor type is dequantised as by gguf-py, to the bit", async () => {
  const source = memorySource(BLOCKS);
  const tensors = ggufTensors(source, await parseGguf(source, "blocks.gguf"), "blocks.gguf");
  using expected = await Fixture.open("tests/fixtures/gguf/blocks.safetensors");
  assert.deepEqual(tensors.names().sort(), expected.tensors.names().sort());
  assert.equal(tensors.names().length, 12);
  for (const name of tensors.names()) {
    const { dtype, shape } = tensors.info(name);
    assert.deepEqual(shape, expected.tensors.info(name).shape);
    const values = await expected.floats(name);
    assert.deepEqual(toFloat32(await tensors.read(name), dtype), values, name);
    const columns = shape.slice(1).reduce((product, size) => product * size, 1);
    const rows = toFloat32(await tensors.read(name, 1, 3), dtype);
    assert.deepEqual(rows, values.slice(columns, 3 * columns), `${name}, rows`);
    if (shape.length < 2) continue;
    // columns that begin and end within blocks
    const [from, to] = [1, columns - 2];
    const middle = [0, 1, 2].flatMap((row) => [
      ...values.subarray(row * columns + from, row * columns + to),
    ]);
    const read = toFloat32(await tensors.readColumns(name, from, to), dtype);
    assert.deepEqual([...read], middle, `${name}, columns`);
  }
});

Deno.test("gguf: rows and columns that a tensor lacks", async () => {
  const source = memorySource(BLOCKS);
  const tensors = ggufTensors(source, await parseGguf(source, "blocks.gguf"), "blocks.gguf");
  await assert.rejects(tensors.read("Q4_0", 2, 4), RangeError);
  await assert.rejects(tensors.read("Q4_0", 2, 1), RangeError);
  await assert.rejects(tensors.readColumns("Q4_0", 0, 65), RangeError);
  await assert.rejects(tensors.readColumns("vector", 0, 1), RangeError);
  await assert.rejects(tensors.read("__proto__"), /no tensor "__proto__"/);
  assert.equal((await tensors.read("Q4_0", 1, 1)).length, 0);
});

Deno.test("gguf: a header is read in pieces, and values may straddle them", async () => {
  const words = Array.from({ length: 60_000 }, (_, i) => `word${i}`);
  const bytes = file({
    metadata: [
      array("words", STRING, words.length, words.flatMap(text)),
      array("bytes", UINT8, 300_000, Array(300_000).fill(7)),
    ],
  });
  const reads: number[] = [];
  const counted: ByteSource = {
    size: bytes.length,
    read(begin, end) {
      reads.push(end - begin);
      return memorySource(bytes).read(begin, end);
    },
  };
  const { metadata } = await parseGguf(counted, "m.gguf");
  assert.deepEqual(metadata.get("words"), words);
  assert.deepEqual(metadata.get("bytes"), new Uint8Array(300_000).fill(7));
  assert.ok(reads.length > 3 && reads.length < 12, `${reads.length} reads`);
});

Deno.test("gguf: the smallest file, and other alignments", async () => {
  const empty = await parseGguf(memorySource(file({ version: 2 })), "m.gguf");
  assert.deepEqual([empty.tensors.size, empty.metadata.size], [0, 0]);
  const alignment = [...text("general.alignment"), ...u32(UINT32), ...u32(8)];
  const bytes = file({ metadata: [alignment], tensors: [tensor("a", [2], F32, 8)], data: 32 });
  const { dataStart, tensors } = await parseGguf(memorySource(bytes), "m.gguf");
  assert.equal(dataStart % 8, 0);
  assert.deepEqual([tensors.get("a")!.begin, tensors.get("a")!.end], [8, 16]);
});

Deno.test("gguf: other files and versions", async () => {
  await refused(new Uint8Array(), /0 bytes long/);
  await refused(file({ magic: "GGML" }), /begins with "GGML"/);
  await refused(file({ version: 1 }), /version 1, but only 2 and 3/);
  await refused(file({ version: 0x03000000 }), /big-endian/);
});

Deno.test("gguf: counts and lengths past the file (CVE-2026-33298, CVE-2024-21802)", async () => {
  const huge = 2n ** 64n - 1n;
  await refused(file({ tensorCount: huge }), /tensor count is 18446744073709551615/);
  await refused(file({ metadataCount: 2n ** 61n }), /metadata count/);
  await refused(file({ metadataCount: 1 }), /takes \d+ bytes at byte|metadata key/);
  const key = text("key");
  await refused(file({ metadata: [[...u64(huge)]] }), /length of metadata key 0/);
  await refused(file({ metadata: [[...key, ...u32(STRING), ...u64(huge)]] }), /length of/);
  for (const type of [UINT8, UINT32, STRING, ARRAY]) {
    // counts whose size in bytes wraps to something small in 64 bits
    for (const count of [huge, 2n ** 61n + 1n, 2n ** 62n + 1n, 2n ** 63n]) {
      await refused(file({ metadata: [array("key", type, count, [])] }), /element count/);
    }
  }
  await refused(file({ metadata: [array("key", 99, 1, [])] }), /unknown value type 99/);
  await refused(file({ metadata: [[...key, ...u32(13), ...u32(0)]] }), /unknown value type 13/);
  let nested = [...u32(UINT8), ...u64(1), 1];
  for (let depth = 0; depth < 20; depth++) nested = [...u32(ARRAY), ...u64(1), ...nested];
  await refused(file({ metadata: [[...key, ...u32(ARRAY), ...nested]] }), /nests arrays/);
});

Deno.test("gguf: strings", async () => {
  const invalid = [...u64(2), 0xc3, 0x28];
  await refused(file({ metadata: [[...invalid, ...u32(UINT8), 0]] }), /key 0 is not UTF-8/);
  const entry = [...text("twice"), ...u32(UINT8), ...u8(1)];
  await refused(file({ metadata: [entry, entry] }), /names "twice" twice/);
  await refused(file({ metadata: [[...text("k".repeat(999)), ...entry]] }), /more than 256/);
  const { metadata } = await parseGguf(
    memorySource(file({ metadata: [[...text("__proto__"), ...u32(UINT8), 1]] })),
    "m.gguf",
  );
  assert.equal(metadata.get("__proto__"), 1);
});

Deno.test("gguf: tensors outside the file, or of impossible shapes (CVE-2026-7482)", async () => {
  const one = (...args: Parameters<typeof tensor>) =>
    file({ tensors: [tensor(...args)], data: 64 });
  assert.ok(await parseGguf(memorySource(one("a", [4, 4])), "m.gguf"));
  await refused(one("a", [4, 5]), /takes bytes 0 to 80 of the data, but the file holds 64/);
  await refused(one("a", [4, 4], F32, 32), /takes bytes 32 to 96/);
  await refused(one("a", [2], F32, 4), /multiple of 32/);
  await refused(one("a", [2], F32, 2n ** 64n - 32n), /offset of tensor "a" is 1844674407370955158/);
  await refused(one("a", [0, 4]), /a dimension of tensor "a" is 0/);
  await refused(one("a", [2n ** 63n, 2n]), /a dimension of tensor "a"/);
  // products that wrap to 16 elements in 32 and in 64 bits
  await refused(one("a", [2 ** 30, 2 ** 30, 16]), /cannot be stored/);
  await refused(one("a", [2 ** 16, 2 ** 16]), /takes bytes/);
  await refused(one("a", []), /0 dimensions/);
  await refused(one("a", [1, 1, 1, 1, 1]), /5 dimensions/);
  await refused(one("a", [33], Q4_0), /shape \[33\] cannot be stored as Q4_0/);
  await refused(one("a", [32], 20), /ggml type 20, but only F32, F16, BF16/);
  const twins = [tensor("a", [4]), tensor("a", [4], F32, 32)];
  await refused(file({ tensors: twins, data: 64 }), /holds tensor "a" twice/);
  const overlapping = [tensor("a", [16]), tensor("b", [4], F32, 32)];
  await refused(file({ tensors: overlapping, data: 64 }), /"b" overlaps/);
  const alignment = [...text("general.alignment"), ...u32(UINT32), ...u32(0)];
  await refused(file({ metadata: [alignment] }), /alignment is not a power of two/);
});

Deno.test("gguf: a sparse file of terabytes does not make the reader allocate them", async () => {
  const source: ByteSource = {
    size: 2 ** 45,
    read(begin, end) {
      assert.ok(end - begin <= MAX_HEADER_BYTES);
      const header = file({ metadata: [array("key", UINT8, 2 ** 44, [])] });
      const bytes = new Uint8Array(end - begin);
      bytes.set(header.subarray(begin, end));
      return Promise.resolve(bytes);
    },
  };
  await assert.rejects(parseGguf(source, "m.gguf"), /goes past \d+ bytes/);
});

Deno.test("gguf: elements that take more memory than bytes are counted", async () => {
  const BOOL = 7;
  const many = 2 ** 22 + 1;
  const flags = new Array<number>(many).fill(1);
  await refused(
    file({ metadata: [array("flags", BOOL, many, flags)] }),
    /more than 4194304 strings, booleans and arrays/,
  );
});

const EXTREMES = [
  0n,
  1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 61n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** `bytes` cut short or not, with a few bytes or words of its first `extent` replaced. */
function mutated(bytes: Uint8Array, extent: number, random: () => number): Uint8Array<ArrayBuffer> {
  const pick = (count: number) => Math.floor(random() * count);
  const copy = bytes.slice(0, random() < 0.2 ? pick(bytes.length) : undefined);
  const view = new DataView(copy.buffer);
  for (let edits = 1 + pick(3); edits > 0 && copy.length >= 8; edits--) {
    const at = pick(Math.min(copy.length - 7, extent));
    if (random() < 0.5) copy[at] = pick(256);
    else view.setBigUint64(at, EXTREMES[pick(EXTREMES.length)], true);
  }
  return copy;
}

/** Reads mutated files; returns how many of them could be read. */
async function fuzz(
  rounds: number,
  [bytes, extent]: [Uint8Array, number],
  read: (source: ByteSource, header: GgufHeader) => unknown,
): Promise<number> {
  const random = seededRandom(11);
  let readable = 0;
  for (let round = 0; round < rounds; round++) {
    const source = memorySource(mutated(bytes, extent, random));
    try {
      await read(source, await parseGguf(source, "m.gguf"));
      readable++;
    } catch (error) {
      assert.ok(error instanceof InputError, String((error as Error).stack));
      assert.match(error.message, /m\.gguf[^\n]+\.$/);
    }
  }
  return readable;
}

async function readAll(source: ByteSource, header: GgufHeader): Promise<void> {
  const tensors = ggufTensors(source, header, "m.gguf");
  for (const name of tensors.names()) await tensors.read(name);
}

function readTokenizer(_: ByteSource, { metadata }: GgufHeader): void {
  loadGgufTokenizer(metadata, "m.gguf").encode("a 1");
}

Deno.test("gguf: mutated files are read or refused in a sentence", async () => {
  const read = await fuzz(3000, [BLOCKS, 1200], readAll);
  assert.ok(read > 100 && read < 2900, `${read} of 3000 were read`);
  const loaded = await fuzz(200, [TINY, 17_000], readTokenizer);
  assert.ok(loaded > 5 && loaded < 195, `${loaded} of 200 were loaded`);
});

longTest("gguf: a million mutated files are read or refused in a sentence", async () => {
  await fuzz(1_000_000, [BLOCKS, 1200], readAll);
  await fuzz(20_000, [TINY, 17_000], readTokenizer);
});
