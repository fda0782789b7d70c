import assert from "node:assert/strict";
import { decayedK, initialK } from "./k_decay.ts";

const SHAPE = { inputSize: 4, latents: 100, k: 5 };

Deno.test("k falls from ten times the input size, and no further than all latents", () => {
  assert.equal(initialK(SHAPE), 40);
  assert.equal(initialK({ inputSize: 4, latents: 33 }), 33);
});

Deno.test("k falls evenly, halves rounded to even as in Python", () => {
  // round(40 * (1 - i / 10) + 5 * i / 10) in Python 3
  const expected = [40, 36, 33, 30, 26, 22, 19, 16, 12, 8, 5, 5];
  assert.deepEqual(expected.map((_, i) => decayedK(SHAPE, i, 10)), expected);
});

Deno.test("without decay k is the coder's from the first batch", () => {
  assert.equal(decayedK(SHAPE, 0, 0), 5);
});
