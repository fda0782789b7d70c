import assert from "node:assert/strict";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { type Counts, SUM_FRACTION_BITS } from "../formats/counts.ts";
import { diffMean } from "./diffmean.ts";
import { pool } from "./pool.ts";

/** Counts of layers 1 and 4 whose activation vectors, of 3 numbers, have these sums. */
function counts(tokens: number, sums?: readonly number[]): Counts {
  const sum = BigInt64Array.from(sums ?? [], (value) => BigInt(value * 2 ** SUM_FRACTION_BITS));
  return {
    ...smallCounts({ layers: [1, 4], examples: tokens, tokens, firedTokens: [0, 0] }),
    ...sums && { activations: { width: 3, sum } },
  };
}

Deno.test("mean vectors less the mean of the other languages' means", () => {
  const pooled = pool([
    { language: "Thai", counts: counts(2, [2, -4, 0, 1, 1, 1]) },
    { language: "Hindi", counts: counts(4, [1, 2, 3, 4, -4, 0.5]) },
    { language: "Turkish", counts: counts(8, [8, 0, 0, 0, 16, 0]) },
  ]);
  const means = [
    [0.25, 0.5, 0.75, 1, -1, 0.125],
    [1, -2, 0, 0.5, 0.5, 0.5],
    [1, 0, 0, 0, 2, 0],
  ];
  assert.deepEqual(diffMean(pooled), {
    languages: ["Hindi", "Thai", "Turkish"],
    layers: [1, 4],
    width: 3,
    mean: Float32Array.from([0, 1, 2].flatMap((g) => {
      const [one, other] = means.filter((_, h) => h !== g);
      return means[g].map((value, i) => value - (one[i] + other[i]) / 2);
    })),
    centre: Float32Array.from({ length: 6 }, (_, i) => {
      return (means[0][i] + means[1][i] + means[2][i]) / 3;
    }),
  });
});

Deno.test("languages without texts are left out; sums must be there, of two languages", () => {
  const thai = { language: "Thai", counts: counts(1, [1, 2, 3, 4, 5, 6]) };
  const hindi = { language: "Hindi", counts: counts(1, [0, 0, 0, 0, 0, 1]) };
  const none = { language: "German", counts: counts(0) };
  const found = diffMean(pool([none, thai, hindi]));
  assert.deepEqual(found?.languages, ["Hindi", "Thai"]);
  assert.deepEqual([...found.mean.subarray(6)], [1, 2, 3, 4, 5, 5]);
  assert.equal(diffMean(pool([none, thai])), undefined);
  assert.equal(diffMean(pool([thai, { language: "Hindi", counts: counts(1) }])), undefined);
});
