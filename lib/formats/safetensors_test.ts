import assert from "node:assert/strict";
import fc from "fast-check";
import { type Dtype, DTYPE_BYTES } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { encodeSafetensors, fromBytes, MAX_HEADER_BYTES, type Tensor } from "./safetensors.ts";

/** A file with this text as its header, written without the encoder under test. */
function file(header: string, dataBytes = 0): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function refused(bytes: Uint8Array<ArrayBuffer>, why: RegExp): void {
  assert.throws(() => fromBytes(bytes, "x.safetensors"), (error: Error) => {
    assert.ok(error instanceof InputError, String(error.stack));
    assert.match(error.message, /^x\.safetensors /);
    assert.match(error.message, why);
    return true;
  });
}

const entry = (begin: number, end: number, shape = `[${end - begin}]`, dtype = "U8") =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

Deno.test("reads a file written by hand, whole and by rows", async () => {
  const bytes = file(`{"__metadata__":{"format":"pt"},"w":${entry(0, 6, "[3,2]")}}  `, 6);
  bytes.set([1, 2, 3, 4, 5, 6], bytes.length - 6);
  const source = fromBytes(bytes, "x.safetensors");
  assert.deepEqual(source.names(), ["w"]);
  assert.equal(source.metadata.format, "pt");
  assert.deepEqual(source.info("w"), { dtype: "U8", shape: [3, 2], begin: 0, end: 6 });
  assert.deepEqual([...await source.read("w")], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...await source.read("w", 1)], [3, 4, 5, 6]);
  assert.deepEqual([...await source.read("w", 1, 2)], [3, 4]);
  assert.deepEqual([...await source.read("w", 3, 3)], []);
  await assert.rejects(() => source.read("w", 2, 4), RangeError);
  await assert.rejects(() => source.read("w", 2, 1), RangeError);
  await assert.rejects(() => source.read("v"), /no tensor "v" among its 1 \(w\)/);
});

Deno.test("scalars and tensors without elements are read", async () => {
  const source = fromBytes(file(`{"a":${entry(0, 1, "[]")},"b":${entry(1, 1, "[0,5]")}}`, 1), "x");
  assert.equal((await source.read("a")).length, 1);
  assert.equal((await source.read("b")).length, 0);
});

Deno.test("the order of the header need not be the order of the data", async () => {
  const source = fromBytes(file(`{"b":${entry(1, 2)},"a":${entry(0, 1)}}`, 2), "x");
  assert.deepEqual(source.names(), ["b", "a"]);
  assert.equal((await source.read("b")).length, 1);
});

Deno.test("a file cut anywhere is refused", () => {
  const whole = file(`{"w":${entry(0, 6)}}`, 6);
  for (let length = 0; length < whole.length; length++) refused(whole.slice(0, length), /./);
  refused(whole.slice(0, -1), /is truncated: .* 6 bytes of tensors, the file holds 5/);
  refused(whole.slice(0, 20), /is truncated/);
  refused(whole.slice(0, 7), /too short/);
});

Deno.test("headers that lie are refused", () => {
  const huge = new Uint8Array(64);
  new DataView(huge.buffer).setBigUint64(0, BigInt(MAX_HEADER_BYTES + 1), true);
  refused(huge, /header claims 100000001 bytes/);
  refused(huge.fill(0xff), /header claims 18446744073709551615 bytes/);
  refused(file(` {}`), /does not start with \{/);
  refused(file(`{"a":`), /not JSON/);
  refused(file(`{}garbage`), /not JSON/);
  const notUtf8 = file(`{"a":${entry(0, 1)}}`, 1);
  notUtf8[10] = 0xff;
  refused(notUtf8, /not JSON in UTF-8/);
  refused(file(`{"a":[1]}`), /not described by an object/);
  refused(file(`{"a":${entry(0, 4, "[1]", "F4")}}`, 4), /unknown element type "F4"/);
  refused(file(`{"a":${entry(0, 4, "[1]", "toString")}}`, 4), /unknown element type/);
  refused(file(`{"a":${entry(0, 4, "[3]", "U8")}}`, 4), /takes 4 bytes, but U8 \[3\] is 3/);
  for (const shape of ["4", "[-4]", "[4.5]", `["4"]`, "[9007199254740992]", "null"]) {
    refused(file(`{"a":${entry(0, 4, shape)}}`, 4), /no valid shape/);
  }
  refused(file(`{"a":${entry(0, 4, "[4294967296,4294967296]")}}`, 4), /takes 4 bytes/);
  refused(file(`{"a":${entry(0, 0, "[9007199254740991,9007199254740991,0]")}}`), /takes 0 bytes/);
  for (const offsets of ["[4,0]", "[0]", "[0,4,8]", "[-4,0]", "[0,1e300]", "null"]) {
    const header = `{"a":{"dtype":"U8","shape":[4],"data_offsets":${offsets}}}`;
    refused(file(header, 4), /no valid data_offsets/);
  }
});

Deno.test("holes, overlaps and left-over bytes are refused", () => {
  refused(file(`{"a":${entry(0, 2)},"b":${entry(3, 4)}}`, 4), /"b" leaves a hole/);
  refused(file(`{"a":${entry(1, 2)}}`, 2), /"a" leaves a hole/);
  refused(file(`{"a":${entry(0, 2)},"b":${entry(1, 4)}}`, 4), /"b" overlaps/);
  refused(file(`{"a":${entry(0, 2)},"b":${entry(0, 2)}}`, 2), /overlaps/);
  refused(file(`{"a":${entry(0, 2)}}`, 5), /3 bytes follow its last tensor/);
});

Deno.test("keys that appear twice are refused, at any depth and however they are escaped", () => {
  refused(file(`{"a":${entry(0, 1)},"a":${entry(0, 1)}}`, 1), /"a" twice/);
  refused(file(`{"a":${entry(0, 1)},"\\u0061" :${entry(0, 1)}}`, 1), /"a" twice/);
  refused(file(`{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}`), /"dtype" tw/);
  const same = `{"__metadata__":{"a":"\\"a\\":{","b":"a"},"a":${entry(0, 1)},"b":${entry(1, 2)}}`;
  assert.deepEqual(fromBytes(file(same, 2), "x").names(), ["a", "b"]);
});

Deno.test("__proto__ is a name like any other", async () => {
  const header = `{"__metadata__":{"__proto__":"text"},"__proto__":${entry(0, 1)}}`;
  const source = fromBytes(file(header, 1), "x");
  assert.deepEqual(source.names(), ["__proto__"]);
  assert.equal(source.metadata["__proto__"], "text");
  assert.equal(source.metadata.toString, undefined);
  assert.equal((await source.read("__proto__")).length, 1);
  refused(
    file(`{"a":{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}}`, 1),
    /unknown element type/,
  );
});

Deno.test("long strings, long padding and deep nesting in a header do not overflow the stack", () => {
  const long = "x\\n".repeat(5_000_000);
  const spaces = " ".repeat(5_000_000);
  const source = fromBytes(file(`{"__metadata__"${spaces}:{"a":"${long}"}}${spaces}`), "x");
  assert.equal(source.metadata.a.length, 10_000_000);
  const nested = "[".repeat(1_000_000) + "]".repeat(1_000_000);
  refused(file(`{"a":${nested}}`), /not described by an object|not JSON/);
});

Deno.test("metadata that is not text is refused", () => {
  refused(file(`{"__metadata__":{"n":12}}`), /__metadata__\.n is not a string/);
  refused(file(`{"__metadata__":["a"]}`), /__metadata__ is not an object/);
});

Deno.test("the writer is deterministic, aligned and refuses data of another size", () => {
  const tensors: Record<string, Tensor> = {
    z: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) },
    a: { dtype: "U8", shape: [1, 1], data: Uint8Array.of(7) },
  };
  const bytes = encodeSafetensors(tensors, { format: "pt" });
  assert.deepEqual(bytes, encodeSafetensors(tensors, { format: "pt" }));
  assert.equal((bytes.length - 9) % 8, 0);
  assert.deepEqual(fromBytes(bytes, "x").names(), ["z", "a"]);
  const wrong: Tensor = { dtype: "F32", shape: [3], data: Float32Array.of(1, 2) };
  assert.throws(() => encodeSafetensors({ wrong }), RangeError);
});

const tensor: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.constantFrom(...Object.keys(DTYPE_BYTES) as Dtype[]),
    fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
  )
  .chain(([dtype, shape]) => {
    const size = shape.reduce((product, n) => product * n, DTYPE_BYTES[dtype]);
    return fc.uint8Array({ minLength: size, maxLength: size })
      .map((data): Tensor => ({ dtype, shape, data }));
  });
const anyFile = fc.record({
  tensors: fc.dictionary(fc.string().filter((name) => name !== "__metadata__"), tensor),
  metadata: fc.dictionary(fc.string(), fc.string()),
});

Deno.test("what is written is read back, whatever the names, types and shapes", async () => {
  await fc.assert(fc.asyncProperty(anyFile, async ({ tensors, metadata }) => {
    const source = fromBytes(encodeSafetensors(tensors, metadata), "x");
    assert.deepEqual({ ...source.metadata }, { ...metadata });
    assert.deepEqual(source.names(), Object.keys(tensors));
    for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
      assert.equal(source.info(name).dtype, dtype);
      assert.deepEqual(source.info(name).shape, shape);
      assert.deepEqual(await source.read(name), data);
    }
  }));
});

Deno.test("a damaged file is read or refused, never a crash", async () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(anyFile, damage, fc.nat(), async ({ tensors, metadata }, changes, cut) => {
      const bytes = encodeSafetensors(tensors, metadata);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const damaged = cut % 3 === 0 ? bytes.slice(0, cut % bytes.length) : bytes;
      try {
        const source = fromBytes(damaged, "x");
        for (const name of source.names()) await source.read(name);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
