import assert from "node:assert/strict";
import { smallCounts } from "../../../tests/support/small_counts.ts";
import { pool } from "../../lape/pool.ts";
import { extentOf, MOST_FIRINGS, TEXTS_KEPT } from "./extent.ts";

/** Four latents in two layers and two languages; the last fires `often` in the second one. */
function pooled(often: number) {
  const counts = (last: number) =>
    smallCounts({
      layers: [3, 7],
      examples: 2,
      tokens: 2 ** 26,
      firedTokens: [1, 0, 2, last],
    });
  return pool([{ language: "A", counts: counts(5) }, { language: "B", counts: counts(often) }]);
}

Deno.test("all firings are kept as long as they fit", () => {
  const others = 1 + 2 + 5 + 1 + 2;
  const { tracked, texts } = extentOf(pooled(MOST_FIRINGS - others), [2], 8);
  assert.deepEqual([[...tracked], texts], [[0, 1, 2, 3], Infinity]);
});

Deno.test("beyond, the strongest texts of identified latents are", () => {
  const one = extentOf(pooled(MOST_FIRINGS), [3, 1], 8);
  assert.deepEqual([[...one.tracked], one.texts], [[1, 3], TEXTS_KEPT]);
  const wide = extentOf(pooled(1), [3], 1e10);
  assert.deepEqual([[...wide.tracked], wide.texts], [[3], TEXTS_KEPT]);
});
