import assert from "node:assert/strict";
import { duration, lines, pace } from "./progress.ts";

const COUNTING = { label: "counting de", total: 4800, unit: "tokens" };

/** Progress as lines, with a clock that the test sets. */
function started() {
  const clock = { seconds: 1000 };
  const written: string[] = [];
  const shown = lines(COUNTING, (line) => written.push(line), () => clock.seconds * 1000);
  return { clock, written, shown };
}

Deno.test("away from a terminal a line appears every five seconds at most", () => {
  const { clock, written, shown } = started();
  for (let second = 0; second < 12; second++) {
    shown.update(100 * (second + 1), `layer ${second}`);
    clock.seconds++;
  }
  assert.deepEqual(written, [
    "counting de: 600 of 4,800 tokens (12 %), 120 tokens/s, 35 s left, layer 5",
    "counting de: 1,100 of 4,800 tokens (22 %), 110 tokens/s, 34 s left, layer 10",
  ]);
});

Deno.test("the end is always shown, once", () => {
  const { clock, written, shown } = started();
  clock.seconds += 4;
  shown.update(4800);
  assert.deepEqual(written, []);
  shown.done();
  assert.deepEqual(written, ["counting de: 4,800 of 4,800 tokens (100 %), 1,200 tokens/s, 4 s"]);
  shown.done();
  assert.equal(written.length, 1);
});

Deno.test("rate and rest appear when they are known", () => {
  const task = { total: 10, unit: "layers" };
  assert.equal(pace({ ...task, done: 0, seconds: 60 }), "0 of 10 layers (0 %)");
  assert.equal(pace({ ...task, done: 1, seconds: 0.5 }), "1 of 10 layers (10 %)");
  assert.equal(
    pace({ ...task, done: 1, seconds: 4 }),
    "1 of 10 layers (10 %), 15 layers/min, 36 s left",
  );
  assert.equal(
    pace({ ...task, done: 2, seconds: 1800 }),
    "2 of 10 layers (20 %), 4 layers/h, 2 h 0 min left",
  );
  assert.equal(
    pace({ ...task, done: 2, seconds: 2 }),
    "2 of 10 layers (20 %), 1 layers/s, 8 s left",
  );
  assert.equal(pace({ done: 0, total: 0, unit: "texts", seconds: 0 }), "0 of 0 texts (100 %)");
});

Deno.test("durations in the unit that fits", () => {
  assert.equal(duration(0.4), "0 s");
  assert.equal(duration(59.6), "1 min 0 s");
  assert.equal(duration(200), "3 min 20 s");
  assert.equal(duration(7500), "2 h 5 min");
});
