import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { emptyCounts, equalCounts, mergeCounts } from "./counts.ts";
import { activationRange, pool } from "./pool.ts";

const xnliThai = smallCounts({ examples: 2, tokens: 10, firedTokens: [1, 0], sum: [2, 0] });
const floresThai = smallCounts({ examples: 3, tokens: 20, firedTokens: [4, 6], sum: [1, 3] });
const floresBulgarian = smallCounts({ examples: 3, tokens: 30, firedTokens: [0, 2] });

Deno.test("data sets of one language are merged, languages come in alphabetical order", () => {
  const pooled = pool([
    { language: "Thai", counts: xnliThai },
    { language: "Bulgarian", counts: floresBulgarian },
    { language: "Thai", counts: floresThai },
  ]);
  assert.deepEqual(pooled.languages, ["Bulgarian", "Thai"]);
  const [bulgarian, thai] = pooled.byLanguage;
  assert.ok(equalCounts(bulgarian, floresBulgarian));
  assert.ok(equalCounts(thai, mergeCounts(xnliThai, floresThai)));
});

Deno.test("the activation range spans the counts given", () => {
  const a = smallCounts({
    examples: 1,
    tokens: 4,
    firedTokens: [2],
    sum: [1],
    max: [0.75],
    min: [0.25],
  });
  const b = smallCounts({
    examples: 1,
    tokens: 4,
    firedTokens: [1],
    sum: [5],
    max: [5],
    min: [5],
  });
  assert.deepEqual(activationRange([a, b], 0), { max: 5, min: 0.25, avg: 2 });
  assert.deepEqual(activationRange([a], 0), { max: 0.75, min: 0.25, avg: 0.5 });
});

Deno.test("a latent that never fired has no average and no minimum", () => {
  assert.deepEqual(activationRange([emptyCounts([0], 1)], 0), { max: 0, min: Infinity, avg: NaN });
});

Deno.test("a neuron whose sum is negative but that never fired has no average either", () => {
  const counts = smallCounts({
    examples: 1,
    tokens: 4,
    firedTokens: [0],
    sum: [-0.5],
    min: [-0.25],
  });
  assert.deepEqual(activationRange([counts], 0), { max: 0, min: -0.25, avg: NaN });
});

Deno.test("nothing to pool is an input error", () => {
  assert.throws(() => pool([]), InputError);
});

Deno.test("languages counted over different SAEs are named", () => {
  const entries = [
    { language: "Thai", counts: emptyCounts([0, 1], 8) },
    { language: "Korean", counts: emptyCounts([0, 1], 4) },
  ];
  assert.throws(() => pool(entries), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /Korean.*layers 0, 1 x 4.*layers 0, 1 x 8.*Thai/);
    return true;
  });
});
