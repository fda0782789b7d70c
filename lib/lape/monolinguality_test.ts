import assert from "node:assert/strict";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { monolinguality } from "./monolinguality.ts";
import { pool } from "./pool.ts";

function counts(tokens: number, sum: readonly number[]) {
  return smallCounts({ examples: 1, tokens, firedTokens: sum.map(() => 0), sum });
}

Deno.test("nu is the mean in a language less the mean of the others' means", () => {
  const pooled = pool([
    { language: "Hindi", counts: counts(10, [5, 0]) },
    // twenty times the text, and no more weight
    { language: "Thai", counts: counts(200, [50, 0.5]) },
    { language: "Turkish", counts: counts(4, [3, 1]) },
  ]);
  const found = [0, 1, 2].map((g) => [0, 1].map((at) => monolinguality(pooled, at, g)));
  assert.deepEqual(found, [
    [0.5 - (0.25 + 0.75) / 2, 0 - (0.0025 + 0.25) / 2],
    [0.25 - (0.5 + 0.75) / 2, 0.0025 - (0 + 0.25) / 2],
    [0.75 - (0.5 + 0.25) / 2, 0.25 - (0 + 0.0025) / 2],
  ]);
});

Deno.test("a language without texts is no other language, and has no nu", () => {
  const pooled = pool([
    { language: "Hindi", counts: counts(10, [5]) },
    { language: "Thai", counts: counts(0, [0]) },
    { language: "Turkish", counts: counts(4, [1]) },
  ]);
  assert.equal(monolinguality(pooled, 0, 0), 0.25);
  assert.ok(Number.isNaN(monolinguality(pooled, 0, 1)));
  const alone = pool([{ language: "Hindi", counts: counts(10, [5]) }]);
  assert.ok(Number.isNaN(monolinguality(alone, 0, 0)));
});
