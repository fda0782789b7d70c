import assert from "node:assert/strict";
import fc from "fast-check";
import { type Counts, decodeCounts, type DocumentCounts, encodeCounts } from "./counts.ts";
import { InputError } from "./input_error.ts";
import { encodeSafetensors, fromBytes, type Tensor } from "./safetensors.ts";

const ORACLE = new URL("../../tests/fixtures/oracle/counts/", import.meta.url);
const readOracle = (path: string) => Deno.readFileSync(new URL(path, ORACLE));

/** Two layers of two latents; the second latent of each never fired. */
function sample(change: Partial<Counts> = {}): Counts {
  return {
    layers: [3, 7],
    width: 2,
    examples: 5,
    tokens: 40,
    firedTokens: Uint32Array.of(9, 0, 2 ** 31, 0),
    firedExamples: Uint32Array.of(4, 0, 5, 0),
    sum: BigInt64Array.of(3n << 23n, 0n, -(2n ** 60n) + 1n, 0n),
    max: Float32Array.of(2.5, 0, 1, 0),
    min: Float32Array.of(0.125, Infinity, -0.25, Infinity),
    ...change,
  };
}

Deno.test("counts come back as they were, to the last bit", () => {
  assert.deepEqual(decodeCounts(encodeCounts(sample()), "x"), sample());
});

/** Three groups of documents, one of them without firings, and activation vectors of width 3. */
const PARTS: Required<Pick<Counts, "documents" | "activations">> = {
  documents: {
    labels: ["udhr:0", "udhr:12", "udhr:2"],
    tokens: Uint32Array.of(10, 1, 29),
    offsets: Uint32Array.of(0, 2, 2, 5),
    units: Uint32Array.of(0, 2, 0, 1, 3),
    firedTokens: Uint32Array.of(9, 10, 1, 29, 3),
  },
  activations: { width: 3, sum: BigInt64Array.of(1n, -(2n ** 62n), 0n, 2n, 3n, -1n) },
};

Deno.test("groups of documents and sums of activations come back as they were", () => {
  const none = {
    labels: [],
    tokens: new Uint32Array(),
    offsets: new Uint32Array(1),
    units: new Uint32Array(),
    firedTokens: new Uint32Array(),
  };
  for (const parts of [PARTS, { documents: none }, { activations: PARTS.activations }]) {
    const counts = sample(parts);
    assert.deepEqual(decodeCounts(encodeCounts(counts), "x"), counts);
  }
});

Deno.test("groups of documents that cannot be are refused", () => {
  const refused = (change: Partial<DocumentCounts>, why: RegExp) => {
    const bytes = encodeCounts(sample({ documents: { ...PARTS.documents, ...change } }));
    assert.throws(
      () => decodeCounts(bytes, "en.safetensors"),
      (error: Error) => error instanceof InputError && why.test(error.message),
    );
  };
  refused({ labels: ["udhr:0", "udhr:2", "udhr:12"] }, /document_labels do not ascend/);
  refused({ labels: ["udhr:0", "udhr:0", "udhr:2"] }, /document_labels do not ascend/);
  refused({ labels: ["udhr:0", "udhr:2"] }, /document_tokens has shape \[3\], expected \[2\]/);
  refused({ tokens: Uint32Array.of(10, 0, 29) }, /a group without tokens/);
  refused({ offsets: Uint32Array.of(0, 3, 2, 5) }, /do not rise from 0 to its 5 entries/);
  refused({ offsets: Uint32Array.of(1, 2, 2, 5) }, /do not rise/);
  refused({ offsets: Uint32Array.of(0, 2, 2, 4) }, /do not rise/);
  refused({ offsets: Uint32Array.of(0, 2, 5) }, /document_offsets has shape \[3\]/);
  refused({ units: Uint32Array.of(0, 2, 0, 1, 4) }, /ascending numbers below 4 in group udhr:2/);
  refused({ units: Uint32Array.of(0, 2, 0, 0, 3) }, /ascending numbers/);
  refused({ firedTokens: Uint32Array.of(9, 0, 1, 29, 3) }, /not between 1 and the tokens/);
  refused({ firedTokens: Uint32Array.of(9, 11, 1, 29, 3) }, /not between 1 and the tokens/);
  refused({ firedTokens: Uint32Array.of(9, 1) }, /over_zero_token has shape \[2\]/);
});

/** The file of counts with other tensors or metadata. */
async function altered(
  counts: Counts,
  tensors: Record<string, Tensor>,
  metadata: Record<string, string>,
): Promise<Uint8Array<ArrayBuffer>> {
  const source = fromBytes(encodeCounts(counts), "x");
  const own: Record<string, Tensor> = {};
  for (const name of source.names()) {
    const { dtype, shape } = source.info(name);
    own[name] = { dtype, shape, data: await source.read(name) };
  }
  return encodeSafetensors({ ...own, ...tensors }, { ...source.metadata, ...metadata });
}

Deno.test("labels, entries and sums of another kind are refused", async () => {
  const counts = sample(PARTS);
  const u32 = (shape: number[]): Tensor => ({ dtype: "U32", shape, data: new Uint32Array(5) });
  const i64 = (shape: number[]): Tensor => ({ dtype: "I64", shape, data: new BigInt64Array(6) });
  const faults: [Record<string, Tensor>, Record<string, string>, RegExp][] = [
    [{}, { document_labels: "" }, /document_labels that are no list of strings/],
    [{}, { document_labels: "[1,2,3]" }, /document_labels that are no list of strings/],
    [{ document_units: u32([1, 5]) }, {}, /document_units has shape \[1,5\], not one size/],
    [{ activation_sum_fixed_24: i64([6]) }, {}, /has shape \[6\], expected 2 rows/],
    [{ activation_sum_fixed_24: i64([3, 2]) }, {}, /has shape \[3,2\], expected 2 rows/],
  ];
  for (const [tensors, metadata, why] of faults) {
    const bytes = await altered(counts, tensors, metadata);
    assert.throws(
      () => decodeCounts(bytes, "x"),
      (error: Error) => error instanceof InputError && why.test(error.message),
    );
  }
  assert.deepEqual(decodeCounts(await altered(counts, {}, {}), "x"), counts);
});

Deno.test("the originals' tensors are as the originals have them", async () => {
  const small = sample({ firedTokens: Uint32Array.of(9, 0, 2 ** 31 - 1, 0) });
  const source = fromBytes(encodeCounts(small, { model: "abc" }), "x");
  assert.deepEqual({ ...source.metadata }, {
    model: "abc",
    num_examples: "5",
    num_tokens: "40",
    layers: "3,7",
  });
  assert.deepEqual(
    source.names().map((name) => `${name} ${source.info(name).dtype} ${source.info(name).shape}`),
    [
      "over_zero_token I32 2,2",
      "over_zero_example I32 2,2",
      "over_zero_total F32 2,2",
      "max_active_over_zero F32 2,2",
      "min_active_over_zero F32 2,2",
      "sum_fixed_24 I64 2,2",
    ],
  );
  const total = new Float32Array((await source.read("over_zero_total")).buffer);
  assert.deepEqual([...total], [1.5, 0, -(2 ** 36), 0]);
  const min = new Float32Array((await source.read("min_active_over_zero")).buffer);
  assert.deepEqual([...min], [0.125, 0, -0.25, 0]);
});

Deno.test("a count past 31 bits is written as I64", () => {
  assert.equal(fromBytes(encodeCounts(sample()), "x").info("over_zero_token").dtype, "I64");
});

Deno.test("a minimum that is 0 is not taken for no minimum", () => {
  const zero = sample({ min: Float32Array.of(0, Infinity, 1, Infinity) });
  assert.deepEqual(decodeCounts(encodeCounts(zero), "x").min, zero.min);
});

Deno.test("random counts come back, and the same counts give the same bytes", () => {
  const four = { minLength: 4, maxLength: 4 };
  const anyCounts = fc.record({
    firedTokens: fc.uint32Array(four),
    firedExamples: fc.uint32Array(four),
    sum: fc.bigInt64Array(four),
    max: fc.float32Array({ ...four, min: 0, noNaN: true }).map((max) => max.map(Math.abs)),
    min: fc.float32Array({ ...four, noNaN: true }).map((min) => min.map((v) => v === 0 ? 0 : v)),
  });
  fc.assert(fc.property(anyCounts, (arrays) => {
    const counts = sample(arrays as Partial<Counts>);
    const bytes = encodeCounts(counts);
    assert.deepEqual(decodeCounts(bytes, "x"), counts);
    assert.deepEqual(encodeCounts(decodeCounts(bytes, "x")), bytes);
  }));
});

for (const [kind, width] of [["sae", 2048], ["neurons", 384]] as const) {
  Deno.test(`reads counts that PyTorch wrote: ${kind}`, async () => {
    const bytes = readOracle(`${kind}/th.safetensors`);
    const counts = decodeCounts(bytes, "th.safetensors");
    assert.deepEqual(counts.layers, [0, 1, 2, 3, 4, 5]);
    assert.equal(counts.width, width);
    assert.equal(counts.examples, 12);
    const source = fromBytes(bytes, "th.safetensors");
    assert.equal(counts.tokens, Number(source.metadata.num_tokens));
    const totals = new Float32Array((await source.read("over_zero_total")).buffer);
    const mins = new Float32Array((await source.read("min_active_over_zero")).buffer);
    for (let i = 0; i < totals.length; i++) {
      assert.ok(Math.abs(Number(counts.sum[i]) / 2 ** 24 - totals[i]) <= 2 ** -25);
      assert.equal(counts.min[i], mins[i] === 0 ? Infinity : mins[i]);
    }
  });
}

Deno.test("counts of a file that cannot be counts are refused", () => {
  const f32 = (...data: number[]): Tensor => ({
    dtype: "F32",
    shape: [1, data.length],
    data: Float32Array.from(data),
  });
  const i32 = (...data: number[]): Tensor => ({
    dtype: "I32",
    shape: [1, data.length],
    data: Int32Array.from(data),
  });
  const good = {
    over_zero_token: i32(1),
    over_zero_example: i32(1),
    over_zero_total: f32(1),
    max_active_over_zero: f32(1),
    min_active_over_zero: f32(1),
  };
  const numbers = { num_examples: "1", num_tokens: "1" };
  const refused = (
    tensors: Record<string, Tensor>,
    metadata: Record<string, string>,
    why: RegExp,
  ) =>
    assert.throws(
      () => decodeCounts(encodeSafetensors(tensors, metadata), "en.safetensors"),
      (error: Error) => error instanceof InputError && why.test(error.message),
    );
  decodeCounts(encodeSafetensors(good, numbers), "en.safetensors");
  refused(good, {}, /no usable num_examples/);
  refused(good, { ...numbers, num_tokens: "-1" }, /no usable num_tokens/);
  refused(good, { ...numbers, layers: "0,1" }, /layers "0,1" for 1 rows/);
  refused(good, { ...numbers, layers: "x" }, /layers "x"/);
  refused({ ...good, over_zero_token: i32(-1) }, numbers, /not a count/);
  refused({ ...good, over_zero_token: f32(1) }, numbers, /F32, expected I32 or I64/);
  refused({ ...good, over_zero_total: f32(NaN) }, numbers, /NaN/);
  refused({ ...good, over_zero_total: f32(Infinity) }, numbers, /past 64 bits/);
  refused({ ...good, max_active_over_zero: f32(1, 2) }, numbers, /shape \[1,2\]/);
  refused({ over_zero_token: i32(1) }, numbers, /no tensor "over_zero_total"|no tensor/);
});
