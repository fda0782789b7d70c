import assert from "node:assert/strict";
import { comparePair, type Occurrences } from "./similarity.ts";

function occurrences(places: Record<number, number>): Occurrences {
  return { positions: Object.keys(places).map(Number), values: Object.values(places) };
}

Deno.test("IoU and correlation are taken over the data sets that list both", () => {
  const a = [
    occurrences({ 0: 1, 3: 2, 4: 9, 7: 4 }),
    occurrences({ 1: 1, 2: 1 }), // the other has nothing here
    occurrences({ 5: 3 }),
  ];
  const b = [occurrences({ 0: 2, 3: 4, 7: 8, 8: 1 }), occurrences({}), occurrences({ 5: 7 })];
  const { both, either, iou, pearson } = comparePair(a, b);
  assert.deepEqual([both, either, iou], [4, 6, 4 / 6]);
  // of (1, 2), (2, 4), (4, 8), (3, 7): means 2.5 and 5.25; deviations multiply to 10.5, square to 5 and 22.75
  assert.ok(Math.abs(pearson - 10.5 / Math.sqrt(5 * 22.75)) < 1e-15);
  assert.deepEqual(comparePair(b, a), { both, either, iou, pearson });
});

Deno.test("too little in common gives no correlation", () => {
  const one = [occurrences({ 2: 5, 6: 1 })];
  const apart = comparePair(one, [occurrences({ 3: 1 })]);
  assert.deepEqual(apart, { both: 0, either: 3, iou: 0, pearson: 0 });
  const once = comparePair(one, [occurrences({ 6: 1 })]);
  assert.deepEqual(once, { both: 1, either: 2, iou: 0.5, pearson: 0 });
  const none = comparePair(one, [occurrences({})]);
  assert.deepEqual(none, { both: 0, either: 0, iou: 0, pearson: 0 });
  // 0.1 three times has a mean that is not 0.1
  const constant = occurrences({ 1: 0.1, 2: 0.1, 3: 0.1 });
  assert.ok(Number.isNaN(comparePair([constant], [occurrences({ 1: 1, 2: 2, 3: 4 })]).pearson));
});
