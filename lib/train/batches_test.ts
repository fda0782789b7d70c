import assert from "node:assert/strict";
import { refuses } from "../../tests/support/refusals.ts";
import type { TokenRows } from "../data/token_rows.ts";
import { numpyPermutation } from "../stats/numpy_permutation.ts";
import { trainingBatches } from "./batches.ts";

/** Rows of two tokens: their number, and 1000. */
const ROWS: TokenRows = {
  rows: 11,
  contextLength: 2,
  parts: [
    { language: "English", rows: 6 },
    { language: "German", rows: 2 },
    { language: "English", rows: 3 },
  ],
  leftOver: 0,
  sha256: {},
  read: (rows) => Promise.resolve(Uint32Array.from(Array.from(rows).flatMap((row) => [row, 1000]))),
  [Symbol.dispose]() {},
};

const all = { batchSize: 4, vocabularySize: 1001 };

async function numbers(options: Parameters<typeof trainingBatches>[1], from?: number) {
  const batches = await Array.fromAsync(trainingBatches(ROWS, options).batches(from));
  return batches.map(({ ids, rows }) => {
    assert.equal(ids.length, 2 * rows);
    return [...ids].filter((_, i) => i % 2 === 0);
  });
}

Deno.test("rows are in NumPy's order, the last batch smaller", async () => {
  const order = [...numpyPermutation(11, 42)];
  const batches = await numbers({ ...all, shuffleSeed: 42 });
  assert.deepEqual(batches, [order.slice(0, 4), order.slice(4, 8), order.slice(8)]);
  const { rows, count, contextLength } = trainingBatches(ROWS, { ...all, shuffleSeed: 42 });
  assert.deepEqual([rows, count, contextLength], [11, 3, 2]);
});

Deno.test("a run that goes on at a batch sees the rest", async () => {
  const options = { ...all, shuffleSeed: 7 };
  const whole = await numbers(options);
  for (const from of [0, 1, 2, 3]) {
    assert.deepEqual(await numbers(options, from), whole.slice(from));
  }
});

Deno.test("--max-examples are the first after the shuffle", async () => {
  const order = [...numpyPermutation(11, 42)];
  const batches = await numbers({ ...all, shuffleSeed: 42, maxExamples: 5 });
  assert.deepEqual(batches, [order.slice(0, 4), order.slice(4, 5)]);
});

Deno.test("unshuffled rows are interleaved by language", async () => {
  const order = (await numbers({ ...all, batchSize: 11 }))[0];
  assert.deepEqual(order.filter((row) => row < 6 || row >= 8), [0, 1, 2, 3, 4, 5, 8, 9, 10]);
  assert.deepEqual(order.map((row, i) => row === 6 || row === 7 ? i : -1).filter((i) => i >= 0), [
    2,
    8,
  ]);
});

Deno.test("shares decide how many rows of a language there are, and shuffling keeps that", async () => {
  const shares = new Map([["German", 1], ["English", 2]]);
  const taken = (await numbers({ ...all, shares, shuffleSeed: 3 })).flat();
  const german = taken.filter((row) => row === 6 || row === 7).length;
  assert.equal(german, 2);
  assert.ok(taken.length === 6 || taken.length === 7, `${taken}`);
  assert.equal(new Set(taken).size, taken.length);
});

Deno.test("a token that the model does not know is refused", () =>
  refuses(
    () => numbers({ ...all, vocabularySize: 1000 }),
    /token 1000, but .* vocabulary has 1000/,
  ));
