/** Windows on hand-made activations, and what holds for any. */
import assert from "node:assert/strict";
import { seededRandom } from "../../stats/random.ts";
import {
  activationsIn,
  centredWindows,
  type Firings,
  gridPlace,
  gridWindows,
  publishedCentredWindows,
  touchedWindows,
  type WindowShape,
} from "./windows.ts";

const SHAPE: WindowShape = { contextLength: 32, windowLength: 8 };

/** Activations by row and position. */
function firingsOf(entries: readonly (readonly [row: number, position: number, value: number])[]) {
  const sorted = entries.map(([row, position, value]) => [row * 32 + position, value] as const)
    .toSorted(([a], [b]) => a - b);
  return {
    at: Uint32Array.from(sorted, ([at]) => at),
    values: Float32Array.from(sorted, ([, value]) => value),
  };
}

/** Random activations on `rows` rows. */
function randomFirings(seed: number, rows: number, share: number): Firings {
  const random = seededRandom(seed);
  const entries: [number, number, number][] = [];
  for (let row = 0; row < rows; row++) {
    for (let position = 0; position < 32; position++) {
      // few distinct values, so that there are ties
      if (random() < share) entries.push([row, position, 1 + Math.floor(6 * random())]);
    }
  }
  return firingsOf(entries);
}

Deno.test("windows of the grid by strength, ties in the order of the text", () => {
  const firings = firingsOf([[0, 7, 2], [0, 8, 3], [0, 15, 1], [1, 31, 3], [2, 0, 5], [2, 1, 4]]);
  assert.deepEqual(gridWindows(firings, SHAPE), [
    { row: 2, start: 0, max: 5 },
    { row: 0, start: 8, max: 3 },
    { row: 1, start: 24, max: 3 },
    { row: 0, start: 0, max: 2 },
  ]);
  assert.deepEqual([...activationsIn(firings, { row: 0, start: 8 }, SHAPE)], [
    3,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
  ]);
  assert.deepEqual(gridWindows(firingsOf([]), SHAPE), []);
});

Deno.test("the strongest token comes at 3c/4 of its window, but in its row and out of stronger windows", () => {
  assert.deepEqual(
    centredWindows(
      firingsOf([
        // in the middle, and what fires beside it
        [0, 16, 9],
        [0, 17, 5],
        [0, 11, 4],
        // would begin at 3, but a stronger window begins at 10
        [0, 9, 3],
        // the ends of a row
        [1, 1, 8],
        [1, 31, 7],
        // between two windows with no room
        [2, 10, 6],
        [2, 25, 6],
        [2, 14, 2],
      ]),
      SHAPE,
    ),
    [
      { row: 0, start: 10, max: 9 },
      { row: 1, start: 0, max: 8 },
      { row: 1, start: 24, max: 7 },
      { row: 2, start: 4, max: 6 },
      { row: 2, start: 19, max: 6 },
      { row: 0, start: 2, max: 3 },
    ],
  );
});

Deno.test("centred windows share no token, lie in their rows and leave no room for another", () => {
  for (const [seed, share] of [0.02, 0.1, 0.5, 1].entries()) {
    const firings = randomFirings(seed, 40, share);
    const places = centredWindows(firings, SHAPE);
    const covered = new Set<number>();
    for (const { row, start, max } of places) {
      assert.ok(start >= 0 && start + 8 <= 32);
      for (let at = 0; at < 8; at++) covered.add(row * 32 + start + at);
      const activations = activationsIn(firings, { row, start }, SHAPE);
      assert.equal(Math.max(...activations), max);
    }
    assert.equal(covered.size, 8 * places.length);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => b.max - a.max || a.row - b.row || a.start - b.start),
    );
    // a token that is in no window has no gap of 8 tokens around it
    for (const token of firings.at) {
      if (covered.has(token)) continue;
      const row = Math.floor(token / 32);
      let [from, to] = [token, token];
      while (from > row * 32 && !covered.has(from - 1)) from--;
      while (to < row * 32 + 31 && !covered.has(to + 1)) to++;
      assert.ok(to - from + 1 < 8);
    }
  }
});

Deno.test("the grid has every active window once, with its activations", () => {
  const firings = randomFirings(9, 30, 0.05);
  const dense = new Float32Array(30 * 32);
  firings.at.forEach((at, i) => dense[at] = firings.values[i]);
  const places = gridWindows(firings, SHAPE);
  for (let window = 0; window < dense.length / 8; window++) {
    const expected = dense.slice(8 * window, 8 * window + 8);
    const { row, start } = gridPlace(window, SHAPE);
    assert.deepEqual(activationsIn(firings, { row, start }, SHAPE), expected);
    const found = places.filter((place) => place.row === row && place.start === start);
    const max = Math.max(...expected);
    assert.deepEqual(found, max > 0 ? [{ row, start, max }] : []);
  }
  assert.deepEqual(
    touchedWindows(places, SHAPE),
    new Set(places.map(({ row, start }) => row * 4 + start / 8)),
  );
});

Deno.test("as published, centred windows start 3c/4 before the first strongest token", () => {
  const firings = firingsOf([
    [0, 0, 9], // first window of a row: dropped
    [0, 8, 2],
    [0, 23, 4],
    [0, 16, 4],
    [0, 24, 9], // last window of a row: dropped
    [1, 15, 3],
  ]);
  assert.deepEqual(publishedCentredWindows(firings, SHAPE, gridWindows(firings, SHAPE)), [
    { row: 0, start: 10, max: 4 },
    { row: 1, start: 9, max: 3 },
    { row: 0, start: 2, max: 2 },
  ]);
});

Deno.test("windows that others lie across are touched", () => {
  assert.deepEqual(
    touchedWindows([{ row: 0, start: 5 }, { row: 1, start: 24 }], SHAPE),
    new Set([0, 1, 7]),
  );
});
