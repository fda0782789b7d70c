import assert from "node:assert/strict";
import numbers from "../../tests/fixtures/analysis/numbers.json" with { type: "json" };
import { occurrencesByUnit } from "./by_unit.ts";
import { type ActivationSummary, summarise, summariseUnits } from "./summary.ts";

/** In the order of the fixture. */
function listed(summary: ActivationSummary): number[] {
  const { count, avg, q1, median, q3, minActive, maxActive, std } = summary;
  return [count, avg, q1, median, q3, minActive, maxActive, std];
}

Deno.test("summaries are NumPy's", () => {
  for (const { values, summary } of numbers.samples) {
    const ours = listed(summarise(Float32Array.from(values)));
    for (const [i, value] of summary.entries()) {
      const error = Math.abs(ours[i] - value);
      assert.ok(error <= 1e-12 * Math.max(1, Math.abs(value)), `${i} of ${values.length} values`);
    }
  }
});

Deno.test("occurrences come by unit, then text, then token", () => {
  // three texts of 2, 1 and 3 tokens; slots by value, as a TopK has them
  const texts = [
    { offsets: [0, 2, 3], units: [6, 2, 2], values: [5, 4, 3] },
    { offsets: [0, 0], units: [], values: [] },
    { offsets: [0, 1, 1, 3], units: [2, 6, 0], values: [9, 2, 1] },
  ].map(({ offsets, units, values }) => ({
    offsets: Uint32Array.from(offsets),
    units: Uint32Array.from(units),
    values: Float32Array.from(values),
  }));
  const found = occurrencesByUnit(texts, 7);
  assert.deepEqual([...found.starts], [0, 1, 1, 4, 4, 4, 4, 6]);
  assert.deepEqual([...found.texts], [2, 0, 0, 2, 0, 2]);
  assert.deepEqual([...found.tokens], [2, 0, 1, 0, 0, 2]);
  assert.deepEqual([...found.values], [1, 4, 3, 9, 5, 2]);
  assert.deepEqual(
    summariseUnits(found).map(({ index, count, maxActive }) => [index, count, maxActive]),
    [[0, 1, 1], [2, 3, 9], [6, 2, 5]],
  );
});
