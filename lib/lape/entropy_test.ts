import assert from "node:assert/strict";
import fc from "fast-check";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { mergeCounts } from "./counts.ts";
import { activationEntropies, activationProbabilities, entropy, float32 } from "./entropy.ts";
import { pool } from "./pool.ts";

const distribution = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  minLength: 1,
  maxLength: 15,
});

function assertClose(actual: number, expected: number, tolerance = 1e-12): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);
}

Deno.test("entropy of known distributions", () => {
  assert.equal(entropy([1, 0, 0]), 0);
  assert.equal(entropy([0.2]), 0);
  assertClose(entropy([0.3, 0.3]), Math.LN2);
  assertClose(entropy([0.5, 0.25, 0.25]), 1.5 * Math.LN2);
  // The largest possible with the paper's 15 languages; spec 6.2 gives 2.708.
  assert.equal(entropy(new Array(15).fill(0.7)).toFixed(3), "2.708");
});

Deno.test("a latent that never fires has entropy 0, not NaN", () => {
  assert.ok(Object.is(entropy([0, 0, 0]), 0));
  // The smallest double: its part of the whole underflows to 0.
  assert.ok(Object.is(entropy([5e-324, 2]), 0));
});

Deno.test("entropy lies between 0 and ln languages", () => {
  fc.assert(fc.property(distribution, (p) => {
    const h = entropy(p);
    assert.ok(h >= 0 && h <= Math.log(p.length) + 1e-12, `${h}`);
  }));
});

Deno.test("entropy ignores the order of languages and a common factor", () => {
  const cases = fc.tuple(distribution, fc.double({ min: 1e-6, max: 1, noNaN: true }));
  fc.assert(fc.property(cases, ([raw, factor]) => {
    // Tiny ones lose digits when scaled.
    const p = raw.map((value) => value < 1e-100 ? 0 : value);
    assertClose(entropy(p.toReversed()), entropy(p));
    assertClose(entropy(p.map((value) => value * factor)), entropy(p));
  }));
});

Deno.test("float32 arithmetic stays within float32 error of f64", () => {
  const p = [0.31, 0.002, 0.44, 0.08];
  const single = entropy(p.map(float32), float32);
  assert.equal(single, Math.fround(single));
  assertClose(single, entropy(p), 1e-6);
});

Deno.test("probabilities are fired tokens over tokens of each language", () => {
  const pooled = pool([
    { language: "Thai", counts: smallCounts({ examples: 1, tokens: 8, firedTokens: [0, 2] }) },
    { language: "Hindi", counts: smallCounts({ examples: 1, tokens: 3, firedTokens: [1, 3] }) },
    { language: "Korean", counts: smallCounts({ examples: 0, tokens: 0, firedTokens: [0, 0] }) },
  ]);
  assert.deepEqual([...activationProbabilities(pooled, 0)], [1 / 3, 0, 0]);
  assert.deepEqual([...activationProbabilities(pooled, 1)], [1, 0, 0.25]);
  assert.deepEqual(
    [...activationProbabilities(pooled, 0, float32)],
    [0.3333333432674408, 0, 0],
  );
  assertClose(activationEntropies(pooled)[0], 0);
  // q = 0.8, 0.2
  assertClose(activationEntropies(pooled)[1], -0.8 * Math.log(0.8) - 0.2 * Math.log(0.2));
});

Deno.test("entropies do not change when every text is counted twice", () => {
  const thai = smallCounts({ examples: 2, tokens: 7, firedTokens: [1, 5, 0] });
  const hindi = smallCounts({ examples: 3, tokens: 11, firedTokens: [2, 1, 0] });
  const once = pool([{ language: "Thai", counts: thai }, { language: "Hindi", counts: hindi }]);
  const twice = pool([
    { language: "Thai", counts: mergeCounts(thai, thai) },
    { language: "Hindi", counts: mergeCounts(hindi, hindi) },
  ]);
  assert.deepEqual(activationEntropies(twice), activationEntropies(once));
});
