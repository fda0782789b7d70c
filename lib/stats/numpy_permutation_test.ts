import assert from "node:assert/strict";
import cases from "../../tests/fixtures/train_data/permutations.json" with { type: "json" };
import { numpyPermutation } from "./numpy_permutation.ts";

for (const { length, seed, order } of cases) {
  Deno.test(`the order is NumPy's: ${length} numbers, seed ${seed}`, () => {
    assert.deepEqual([...numpyPermutation(length, seed)], order);
  });
}

Deno.test("what NumPy has no order for is refused", () => {
  for (const [length, seed] of [[-1, 0], [1.5, 0], [2 ** 33, 0], [4, -1], [4, 0.5], [4, NaN]]) {
    assert.throws(() => numpyPermutation(length, seed), RangeError);
  }
});
