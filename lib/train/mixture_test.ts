import assert from "node:assert/strict";
import { refuses } from "../../tests/support/refusals.ts";
import { mixture } from "./mixture.ts";

const parts = [
  { language: "English", rows: Uint32Array.from([0, 1, 2, 3, 4, 5]) },
  { language: "German", rows: Uint32Array.from([6, 7]) },
  { language: "Thai", rows: Uint32Array.from([8, 9, 10]) },
];

Deno.test("without shares all rows are there once, each language as evenly as it can be", () => {
  const order = [...mixture(parts)];
  assert.deepEqual(order.toSorted((a, b) => a - b), Array.from({ length: 11 }, (_, i) => i));
  for (let end = 1; end <= 11; end++) {
    for (const { rows } of parts) {
      const taken = order.slice(0, end).filter((row) => rows.includes(row)).length;
      assert.ok(Math.abs(taken - end * rows.length / 11) <= 1, `${end}: ${taken} of ${rows}`);
    }
  }
});

Deno.test("with shares the first language that runs out ends it", () => {
  const shares = new Map([["English", 2], ["German", 1]]);
  assert.deepEqual([...mixture(parts, shares)], [0, 6, 1, 2, 7, 3, 4]);
  assert.deepEqual([...mixture(parts, new Map([["Thai", 0.5]]))], [8, 9, 10]);
});

Deno.test("shares that cannot be kept are refused", async () => {
  await refuses(
    () => mixture(parts, new Map([["Hindi", 1]])),
    /no rows of Hindi .* English, German/,
  );
  for (const share of [0, -1, NaN, Infinity]) {
    await refuses(() => mixture(parts, new Map([["Thai", share]])), /share of Thai is/);
  }
});
