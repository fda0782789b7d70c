import assert from "node:assert/strict";
import { windowAround } from "./window.ts";

const LETTERS = [..."abcdefghij"];

Deno.test("a window has its token in the middle, and is shifted inwards at the ends", () => {
  assert.deepEqual(windowAround(LETTERS, 5, 4), [3, 7]);
  assert.deepEqual(windowAround(LETTERS, 0, 4), [0, 4]);
  assert.deepEqual(windowAround(LETTERS, 9, 4), [6, 10]);
  assert.deepEqual(windowAround(LETTERS, 1, 4, 1), [1, 5]);
  assert.deepEqual(windowAround(LETTERS, 5, 100, 1), [1, 10]);
  assert.deepEqual(windowAround(LETTERS, 5, Infinity), [0, 10]);
});

Deno.test("a window never begins or ends within a letter", () => {
  const hindi = ["अ", "ध", "ि", "क", "ा", "र", "ो", "ं", " ", "क", "े"];
  assert.deepEqual(windowAround(hindi, 4, 3), [3, 8]); // from कार to its marks ो and ं
  assert.deepEqual(windowAround(hindi, 3, 2), [1, 5]); // धि, not ि
  const bytes = ["x", "👩", "", "", "\u200d", "🚀", "", "y"];
  assert.deepEqual(windowAround(bytes, 4, 2), [1, 7]);
});

Deno.test("an endless letter makes no endless window", () => {
  const marks = Array.from({ length: 20_000 }, () => "\u0301");
  const [first, end] = windowAround(["a", ...marks, "b"], 10_000, 10);
  assert.ok(first <= 9_995 && first > 9_900 && end >= 10_005 && end < 10_100);
});
