import assert from "node:assert/strict";
import { pearson, ranks, spearman } from "./correlation.ts";

const A = [1.5, 2, 9, -4, 0.25, 7];
const B = [2, 1, 5, -3, 0.5, 1];

Deno.test("Pearson's coefficient is NumPy's", () => {
  assert.ok(Math.abs(pearson(A, B) - 0.8576323058000119) < 1e-15);
  assert.equal(pearson([1, 2, 3], [-2, -4, -6]), -1);
});

Deno.test("Spearman's coefficient is SciPy's, ties and all", () => {
  assert.deepEqual([...ranks(B)], [5, 3.5, 6, 1, 2, 3.5]);
  assert.ok(Math.abs(spearman(A, B) - 0.8116794499134278) < 1e-15);
  assert.equal(spearman([1, 10, 100], [0, 1, 1e9]), 1, "only the order counts");
});

Deno.test("what does not vary correlates with nothing", () => {
  assert.ok(Number.isNaN(pearson([1, 1, 1], [1, 2, 3])));
  assert.ok(Number.isNaN(spearman([], [])));
  assert.ok(Number.isNaN(spearman([1], [2])));
  assert.throws(() => pearson([1], [1, 2]), RangeError);
});
