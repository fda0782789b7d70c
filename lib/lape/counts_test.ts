import assert from "node:assert/strict";
import fc from "fast-check";
import type { ActivationSums, Counts, DocumentCounts } from "../formats/counts.ts";
import { InputError } from "../formats/input_error.ts";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { emptyCounts, equalCounts, mergeCounts, roundedCounts } from "./counts.ts";
import { documentCounts } from "./counts_documents.ts";

const LAYERS = [1, 4];
const WIDTH = 3;
const SIZE = LAYERS.length * WIDTH;

const perLatent = <T>(value: fc.Arbitrary<T>) =>
  fc.array(value, { minLength: SIZE, maxLength: SIZE });
const smallInteger = fc.nat({ max: 2 ** 20 });
const activation = fc.float({ min: 0, max: 1000, noNaN: true });

const GROUPS = ["a:0", "a:1", "a:10", "b:0"];

/** Groups of documents by way of a table [group][unit] of tokens; 0 is no entry. */
const anyDocuments: fc.Arbitrary<DocumentCounts> = fc.dictionary(
  fc.constantFrom(...GROUPS),
  fc.record({
    tokens: fc.integer({ min: 1, max: 100 }),
    fired: perLatent(fc.nat({ max: 2 })),
  }),
).map((groups) =>
  documentCounts(
    Object.entries(groups).map(([label, { tokens, fired }]) => ({
      label,
      tokens,
      units: Uint32Array.from(fired.flatMap((count, unit) => count > 0 ? [unit] : [])),
      firedTokens: Uint32Array.from(fired.filter((count) => count > 0)),
    })),
  )
);

const anyActivations: fc.Arbitrary<ActivationSums> = fc.bigInt64Array({
  minLength: 2 * LAYERS.length,
  maxLength: 2 * LAYERS.length,
  min: -(2n ** 50n),
  max: 2n ** 50n,
}).map((sum) => ({ width: 2, sum }));

/** Often without text, or without the parts that not all counts have. */
const anyCounts: fc.Arbitrary<Counts> = fc.oneof(
  fc.constant(emptyCounts(LAYERS, WIDTH)),
  fc.record({
    layers: fc.constant(LAYERS),
    width: fc.constant(WIDTH),
    examples: smallInteger,
    tokens: smallInteger,
    firedTokens: perLatent(smallInteger).map((values) => Uint32Array.from(values)),
    firedExamples: perLatent(smallInteger).map((values) => Uint32Array.from(values)),
    sum: perLatent(fc.bigInt({ min: -(2n ** 50n), max: 2n ** 50n }))
      .map((values) => BigInt64Array.from(values)),
    max: perLatent(activation).map((values) => Float32Array.from(values)),
    min: perLatent(fc.oneof(activation, fc.constant(Infinity)))
      .map((values) => Float32Array.from(values)),
    documents: fc.option(anyDocuments, { nil: undefined }),
    activations: fc.option(anyActivations, { nil: undefined }),
  }),
);

Deno.test("merging adds integers and compares extremes", () => {
  const a = smallCounts({
    examples: 2,
    tokens: 10,
    firedTokens: [3, 0],
    firedExamples: [2, 0],
    sum: [1.5, 0],
    max: [0.75, 0],
    min: [0.25, Infinity],
  });
  const b = smallCounts({
    examples: 1,
    tokens: 5,
    firedTokens: [1, 4],
    firedExamples: [1, 1],
    sum: [0.125, 8],
    max: [0.125, 3],
    min: [0.125, 1],
  });
  const expected = smallCounts({
    examples: 3,
    tokens: 15,
    firedTokens: [4, 4],
    firedExamples: [3, 1],
    sum: [1.625, 8],
    max: [0.75, 3],
    min: [0.125, 1],
  });
  assert.deepEqual(mergeCounts(a, b), expected);
});

Deno.test("merging is associative and commutative, and leaves its arguments alone", () => {
  fc.assert(fc.property(anyCounts, anyCounts, anyCounts, (a, b, c) => {
    const before = structuredClone(a);
    assert.ok(equalCounts(mergeCounts(mergeCounts(a, b), c), mergeCounts(a, mergeCounts(b, c))));
    assert.ok(equalCounts(mergeCounts(a, b), mergeCounts(b, a)));
    assert.ok(equalCounts(a, before));
  }));
});

Deno.test("empty counts are the identity of merging", () => {
  const empty = emptyCounts(LAYERS, WIDTH);
  fc.assert(fc.property(anyCounts, (counts) => {
    assert.ok(equalCounts(mergeCounts(counts, empty), counts));
    assert.ok(equalCounts(mergeCounts(empty, counts), counts));
  }));
});

/** Counts of one text with one group: unit 1 fired on `fired` of `tokens` tokens. */
function withGroup(label: string, tokens: number, fired: number): Counts {
  const documents = documentCounts([
    { label, tokens, units: Uint32Array.of(1), firedTokens: Uint32Array.of(fired) },
  ]);
  return { ...smallCounts({ examples: 1, tokens, firedTokens: [0, fired] }), documents };
}

Deno.test("groups of one label add up, others lie side by side in the order of labels", () => {
  const parts = [withGroup("b", 9, 2), withGroup("a", 5, 1), withGroup("b", 3, 3)];
  const { documents } = parts.reduce(mergeCounts);
  assert.deepEqual(documents, {
    labels: ["a", "b"],
    tokens: Uint32Array.of(5, 12),
    offsets: Uint32Array.of(0, 1, 2),
    units: Uint32Array.of(1, 1),
    firedTokens: Uint32Array.of(1, 5),
  });
});

Deno.test("units of two halves of a group are joined in order", () => {
  const half = (...entries: [unit: number, fired: number][]): Counts => ({
    ...smallCounts({ examples: 1, tokens: 9, firedTokens: [0, 0, 0, 0] }),
    documents: documentCounts([{
      label: "a",
      tokens: 9,
      units: Uint32Array.from(entries, ([unit]) => unit),
      firedTokens: Uint32Array.from(entries, ([, fired]) => fired),
    }]),
  });
  const { documents } = mergeCounts(half([0, 1], [3, 2]), half([1, 4], [3, 5]));
  assert.deepEqual([...documents!.units], [0, 1, 3]);
  assert.deepEqual([...documents!.firedTokens], [1, 4, 7]);
});

Deno.test("groups and sums that cover a part of the texts are not kept", () => {
  const activations = { width: 1, sum: BigInt64Array.of(4n) };
  const full = { ...withGroup("a", 5, 1), activations };
  const lacking = smallCounts({ examples: 1, tokens: 2, firedTokens: [0, 0] });
  for (const merged of [mergeCounts(full, lacking), mergeCounts(lacking, full)]) {
    assert.ok(!("documents" in merged) && !("activations" in merged));
  }
  const alone = mergeCounts(emptyCounts([0], 2), full);
  assert.deepEqual([alone.documents, alone.activations], [full.documents, full.activations]);
  assert.deepEqual(mergeCounts(full, full).activations, { width: 1, sum: BigInt64Array.of(8n) });
  const wider = { ...full, activations: { width: 2, sum: new BigInt64Array(2) } };
  assert.throws(() => mergeCounts(full, wider), InputError);
});

Deno.test("counts differ as soon as one value does", () => {
  const build = (): Counts => ({
    ...smallCounts({ examples: 1, tokens: 9, firedTokens: [4, 5], sum: [1, 2], min: [1, 1] }),
    documents: withGroup("a", 9, 5).documents,
    activations: { width: 1, sum: BigInt64Array.of(1n) },
  });
  const change: ((counts: Counts) => unknown)[] = [
    (counts) => counts.examples++,
    (counts) => counts.tokens++,
    (counts) => counts.firedTokens[1]++,
    (counts) => counts.firedExamples[1]++,
    (counts) => counts.sum[1]++,
    (counts) => counts.max[1]++,
    (counts) => counts.min[1]++,
    (counts) => counts.documents!.tokens[0]++,
    (counts) => counts.documents!.units[0]--,
    (counts) => counts.documents!.firedTokens[0]--,
    (counts) => counts.documents = withGroup("b", 9, 5).documents,
    (counts) => delete counts.documents,
    (counts) => counts.activations!.sum[0]++,
    (counts) => delete counts.activations,
  ];
  assert.ok(equalCounts(build(), build()));
  for (const edit of change) {
    const other = build();
    edit(other);
    assert.ok(!equalCounts(build(), other), `${edit}`);
  }
  assert.ok(!equalCounts(emptyCounts([0], 4), emptyCounts([1], 4)));
  assert.ok(!equalCounts(emptyCounts([0], 4), emptyCounts([0, 1], 2)));
});

Deno.test("counts over other layers or widths do not merge", () => {
  const counts = emptyCounts([0, 1], 8);
  for (const other of [emptyCounts([0, 2], 8), emptyCounts([0], 8), emptyCounts([0, 1], 4)]) {
    assert.throws(() => mergeCounts(counts, other), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /layers 0, 1 x 8/);
      return true;
    });
  }
});

Deno.test("a count that would wrap around is an error, not a small number", () => {
  const full = emptyCounts([0], 1);
  full.firedTokens[0] = 2 ** 32 - 1;
  const one = emptyCounts([0], 1);
  one.firedTokens[0] = 1;
  assert.equal(mergeCounts(full, emptyCounts([0], 1)).firedTokens[0], 2 ** 32 - 1);
  assert.throws(() => mergeCounts(full, one), RangeError);

  const large = emptyCounts([0], 1);
  large.sum[0] = 2n ** 63n - 1n;
  const unit = emptyCounts([0], 1);
  unit.sum[0] = 1n;
  assert.throws(() => mergeCounts(large, unit), RangeError);
});

Deno.test("sums add as 64-bit integers do, and do not leave their range", () => {
  const extremes = [
    0n,
    1n,
    -1n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    -(2n ** 32n),
    2n ** 63n - 1n,
  ];
  const sum = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(...extremes, -(2n ** 63n)),
  );
  const holding = (value: bigint): Counts => ({
    ...emptyCounts([0], 1),
    sum: BigInt64Array.of(value),
  });
  fc.assert(fc.property(sum, sum, (a, b) => {
    const merge = () => mergeCounts(holding(a), holding(b)).sum[0];
    if (BigInt.asIntN(64, a + b) === a + b) assert.equal(merge(), a + b);
    else assert.throws(merge, RangeError);
  }));
});

Deno.test("layers must ascend, or (layer, index) would not be the order of the arrays", () => {
  assert.throws(() => emptyCounts([0, 0], 1), RangeError);
  assert.throws(() => emptyCounts([3, 1], 1), RangeError);
});

Deno.test("max and min are rounded at 3 decimals in float32, halves to even", () => {
  // 1.0625 and 0.1875 times 1000 are halves exactly; 2.0004 is not.
  const counts = smallCounts({
    examples: 1,
    tokens: 1,
    firedTokens: [1, 1, 1, 0],
    max: [1.0625, 0.1875, 2.0004, 0],
    min: [0.0625, 0.3125, -0.27846, Infinity],
  });
  const { max, min } = roundedCounts(counts);
  assert.deepEqual([...max], [1.062, 0.188, 2, 0].map(Math.fround));
  assert.deepEqual([...min], [0.062, 0.312, -0.278, Infinity].map(Math.fround));
});

Deno.test("rounding commutes with merging", () => {
  fc.assert(fc.property(anyCounts, anyCounts, (a, b) => {
    const late = roundedCounts(mergeCounts(a, b));
    assert.ok(equalCounts(late, mergeCounts(roundedCounts(a), roundedCounts(b))));
  }));
});
