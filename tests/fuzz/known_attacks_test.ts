/** The classes of attacks on readers of models that became known, and what each comes to here. */
import assert from "node:assert/strict";
import { memorySource } from "../../lib/formats/byte_source.ts";
import { decodeCounts, encodeCounts } from "../../lib/formats/counts.ts";
import { ggufTensors, parseGguf } from "../../lib/formats/gguf.ts";
import { openNpz } from "../../lib/formats/npz.ts";
import { openParquet } from "../../lib/formats/parquet/parquet.ts";
import { encodeSafetensors, fromBytes } from "../../lib/formats/safetensors.ts";
import { loadTokenizer } from "../../lib/formats/tokenizer.ts";
import { readTorchFile } from "../../lib/formats/torch_file.ts";
import { emptyCounts } from "../../lib/lape/counts.ts";
import { refuses } from "../support/refusals.ts";
import { type Bytes, concat, integer, utf8 } from "./bytes.ts";
import { type GgufParts, textEntry, writeGguf } from "./gguf_writer.ts";
import { fixtures } from "./seeds.ts";
import { readThrift, type Thrift, writeThrift } from "./thrift.ts";
import { writeZip } from "./zip_writer.ts";

/** A good GGUF of one tensor, with what an attack changes. */
function ggufFile(changes: Partial<GgufParts>): Bytes {
  const tensor = { name: utf8("t"), dimensions: [4n, 2n], type: 0, offset: 0n };
  const metadata = [textEntry("general.architecture", "llama")];
  return writeGguf({
    version: 3,
    metadata,
    tensors: [tensor],
    data: new Uint8Array(32),
    ...changes,
  });
}

function ggufWithTensor(changes: Partial<GgufParts["tensors"][number]>): Bytes {
  const tensor = { name: utf8("t"), dimensions: [4n, 2n], type: 0, offset: 0n, ...changes };
  return ggufFile({ tensors: [tensor] });
}

const gguf = (bytes: Bytes) => parseGguf(memorySource(bytes), "m.gguf");

Deno.test("the GGUF that the attacks change is good", async () => {
  const source = memorySource(ggufFile({}));
  const header = await parseGguf(source, "m.gguf");
  assert.equal((await ggufTensors(source, header, "m.gguf").read("t")).length, 32);
});

const GGUF_ATTACKS: readonly (readonly [string, Bytes, RegExp])[] = [
  [
    "CVE-2026-33298: sizes whose product overflows to a small one",
    ggufWithTensor({ dimensions: [1n << 31n, 1n << 31n, 4n, 1n] }),
    /^m\.gguf is not .*: a dimension of tensor "t" is 2147483648, expected 1 to 2147483647; fetch/,
  ],
  [
    "CVE-2026-33298: a product beyond 64 bits of sizes that are each possible",
    ggufWithTensor({ dimensions: new Array(4).fill((1n << 31n) - 1n) }),
    /^m\.gguf is not .*: tensor "t" of shape \[2147483647,.*\] cannot be stored as F32; fetch/,
  ],
  [
    "CVE-2024-21802: more dimensions than the reader's array has places",
    ggufWithTensor({ dimensions: new Array(40).fill(1n) }),
    /^m\.gguf is not .*: tensor "t" has 40 dimensions, expected 1 to 4; fetch it again\.$/,
  ],
  [
    "CVE-2026-7482: a tensor larger than the file",
    ggufWithTensor({ dimensions: [4n, 1_000_000n] }),
    /^m\.gguf is not .*: tensor "t" takes bytes 0 to 16000000 of the data, but the file holds 32;/,
  ],
  [
    "CVE-2026-7482: a tensor that begins beyond the file",
    ggufWithTensor({ offset: 1n << 40n }),
    /^m\.gguf is not .*: the offset of tensor "t" is 1099511627776, more than its \d+ bytes can/,
  ],
  [
    "a text whose length overflows when its end is added to it",
    ggufFile({ metadata: [{ key: utf8("k"), type: 8, value: integer(2n ** 64n - 1n, 8) }] }),
    /^m\.gguf is not .*: the length of metadata "k" is 18446744073709551615, more than its/,
  ],
  [
    "an array of 2^62 elements",
    ggufFile({
      metadata: [{
        key: utf8("k"),
        type: 9,
        value: concat(integer(4, 4), integer(1n << 62n, 8)),
      }],
    }),
    /^m\.gguf is not .*: the element count of metadata "k" is 4611686018427387904, more than/,
  ],
  [
    "2^60 tensors",
    ggufFile({ tensorCount: 1n << 60n }),
    /^m\.gguf is not .*: its tensor count is 1152921504606846976, more than its \d+ bytes can/,
  ],
];

for (const [name, bytes, message] of GGUF_ATTACKS) {
  Deno.test(`GGUF: ${name}`, () => refuses(() => gguf(bytes), message));
}

/** A file of torch.save with this pickle. */
function torchFile(pickle: Bytes): Bytes {
  return writeZip([{ name: "archive/data.pkl", data: pickle, deflated: false }]).bytes;
}

Deno.test("torch: CVE-2025-32434: a pickle that runs a program", async () => {
  const call = utf8("\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R.".replace("\x80", ""));
  await refuses(
    () => readTorchFile(memorySource(torchFile(concat([0x80], call))), "x.pt"),
    /^x\.pt asks for "posix\.system", which is not among what tensors need; since such a file could/,
  );
  await refuses(
    () => readTorchFile(memorySource(concat([0x80], call)), "x.pt"),
    /^x\.pt is a plain pickle, which is a program and is not run; expected a file of torch\.save/,
  );
});

/** An array of zeros as .npy. */
function zeros(elements: number): Bytes {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${elements},), }`;
  const padded = utf8(header.padEnd(117) + "\n");
  return concat(
    [0x93],
    utf8("NUMPY"),
    [1, 0],
    integer(padded.length, 2),
    padded,
    new Uint8Array(elements),
  );
}

Deno.test("npz: a bomb that inflates to more than it says", async () => {
  const entry = { name: "a.npy", data: zeros(1_000_000), deflated: true };
  const { bytes, fields } = writeZip([entry]);
  const npz = await openNpz(memorySource(bytes), "x.npz");
  assert.equal((await npz.read("a")).length, 1_000_000);
  // both records then say that there are 100 bytes less
  const size = integer(entry.data.length, 4).join();
  for (const { at, width } of fields) {
    if (width === 4 && bytes.subarray(at, at + 4).join() === size) {
      bytes.set(integer(entry.data.length - 100, 4), at);
    }
  }
  await refuses(
    () => openNpz(memorySource(bytes), "x.npz"),
    /^x\.npz is not a valid ZIP archive: entry "a\.npy" inflates to more than its 1000028 bytes;/,
  );
});

Deno.test("npz: a bomb of entries that share their bytes", async () => {
  const entry = { name: "a.npy", data: zeros(1000), deflated: true };
  const { bytes, fields } = writeZip([entry, { ...entry, name: "b.npy" }]);
  const places = fields.filter(({ at, width }) =>
    width === 4 && bytes.subarray(at + 4).join().startsWith(utf8("b.npy").join())
  );
  bytes.set(integer(0, 4), places[0].at);
  await refuses(
    () => openNpz(memorySource(bytes), "x.npz"),
    /^x\.npz is not a valid ZIP archive: entry "[ab]\.npy" overlaps what follows it; fetch it again\.$/,
  );
});

Deno.test("safetensors: a header of 100,000 tensors is read, one of 2^63 bytes is not", async () => {
  const none = { dtype: "F32" as const, shape: [0], data: new Uint8Array() };
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, none]));
  assert.equal(fromBytes(encodeSafetensors(many), "x").names().length, 100_000);
  await refuses(
    () => fromBytes(concat(integer(1n << 63n, 8), utf8("{}")), "x.safetensors"),
    /^x\.safetensors is not .*: its header claims 9223372036854775808 bytes, more than 100000000;/,
  );
});

/** A safetensors file of one byte of data with this header. */
function safetensors(header: string): Bytes {
  return concat(integer(utf8(header).length, 8), utf8(header), [7]);
}

const HEADERS: readonly (readonly [string, string, RegExp])[] = [
  [
    "offsets beyond 2^53",
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551615]}}',
    /^x is not a valid safetensors file: tensor "a" has no valid data_offsets; fetch it again\.$/,
  ],
  [
    "a key twice",
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"shape":[2]}}',
    /^x is not .*: its header names "shape" twice; fetch it again\.$/,
  ],
  [
    "a prototype that describes the tensor",
    '{"a":{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}}',
    /^x is not .*: tensor "a" has the unknown element type undefined; fetch it again\.$/,
  ],
  [
    "an element type nested deeper than it can be written",
    `{"a":{"dtype":${"[".repeat(50_000)}${"]".repeat(50_000)},"shape":[1],"data_offsets":[0,1]}}`,
    /^x is not .*: tensor "a" has the unknown element type object; fetch it again\.$/,
  ],
];

for (const [name, header, message] of HEADERS) {
  Deno.test(`safetensors: ${name}`, () =>
    refuses(() => fromBytes(safetensors(header), "x"), message));
}

Deno.test("safetensors: a tensor named __proto__ is a tensor", async () => {
  const header = '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
  const tensors = fromBytes(safetensors(header), "x");
  assert.deepEqual(tensors.names(), ["__proto__"]);
  assert.deepEqual([...await tensors.read("__proto__")], [7]);
});

Deno.test("counts: values that are no numbers", async () => {
  const counts = emptyCounts([0], 2);
  counts.max[1] = NaN;
  await refuses(
    () => decodeCounts(encodeCounts(counts), "c"),
    /^c .* max_active_over_zero holds a NaN/,
  );
});

Deno.test("counts: layers that take no bytes", async () => {
  const shape = [4_000_000_000, 0];
  const empty = (dtype: "I32" | "F32") => ({ dtype, shape, data: new Uint8Array() });
  const bytes = encodeSafetensors({
    over_zero_token: empty("I32"),
    over_zero_example: empty("I32"),
    over_zero_total: empty("F32"),
    max_active_over_zero: empty("F32"),
    min_active_over_zero: empty("F32"),
  }, { num_examples: "1", num_tokens: "1" });
  await refuses(
    () => decodeCounts(bytes, "c"),
    /^c .*: it has 4000000000 layers, more than 65536;/,
  );
});

/** A Parquet fixture with another footer. */
function parquetWith(change: (footer: Thrift & { type: 12 }) => void): Bytes {
  const [file] = fixtures("datasets/plain.parquet");
  const length = new DataView(file.buffer).getUint32(file.length - 8, true);
  const footer = readThrift(file.slice(-8 - length, -8)) as Thrift & { type: 12 };
  change(footer);
  const bytes = writeThrift(footer);
  return concat(file.subarray(0, -8 - length), bytes, integer(bytes.length, 4), utf8("PAR1"));
}

const open = (bytes: Bytes) => openParquet(memorySource(bytes), "x.parquet");

Deno.test("Parquet: lists in lists that each claim 33 million elements", async () => {
  assert.equal((await open(parquetWith(() => {}))).rows, 100);
  const lists = concat(...new Array(200).fill([0xf9, 0xc0, 0x8f, 0xde, 0x0f]));
  const bytes = parquetWith(({ fields }) => {
    fields.push([14, { type: 9, of: 9, items: [{ type: 7, bytes: lists }], claimed: 33_000_000n }]);
  });
  await refuses(
    () => open(bytes),
    /^x\.parquet is not a readable Parquet file \(a list of 33\d+ elements\); fetch it again\.$/,
  );
});

Deno.test("Parquet: a footer of more values than any table has", async () => {
  const bytes = parquetWith(({ fields }) => {
    // an empty structure is one byte, 0
    const none: Thrift = { type: 7, bytes: new Uint8Array(2 ** 21) };
    fields.push([14, { type: 9, of: 12, items: [none], claimed: 2n ** 21n }]);
  });
  await refuses(
    () => open(bytes),
    /^x\.parquet is .* \(more than 2097152 values\); fetch it again\.$/,
  );
});

Deno.test("Parquet: a text where the footer should have a list", async () => {
  for (const list of [2, 4, 5]) {
    const bytes = parquetWith(({ fields }) => {
      const others = fields.filter(([id]) => id !== list);
      fields.splice(0, fields.length, ...others, [list, { type: 8, bytes: utf8("text") }]);
    });
    await refuses(
      () => open(bytes),
      /^x\.parquet is not a readable Parquet file \(.*\); fetch it again/,
    );
  }
});

Deno.test("tokenizer.json: an id that would make a list of 2^31 tokens", async () => {
  const file = { model: { type: "BPE", vocab: { a: 0, b: 2 ** 31 - 2 }, merges: [] } };
  await refuses(
    () => loadTokenizer(JSON.stringify(file), undefined, "tokenizer.json"),
    /^tokenizer\.json is not a usable tokenizer \(it has the token id 2147483646, not a whole number/,
  );
});
