import assert from "node:assert/strict";
import numbers from "../../tests/fixtures/analysis/numbers.json" with { type: "json" };
import { pythonFloat, roundToThree } from "./python_numbers.ts";

Deno.test("numbers are rounded and printed as by Python", () => {
  for (const [x, rounded, printed] of numbers.rounded as [number, number, string][]) {
    assert.equal(roundToThree(x), rounded, `round(${x}, 3)`);
    assert.equal(pythonFloat(roundToThree(x)), printed);
  }
});

Deno.test("halves go to the even neighbour, on both sides of zero", () => {
  const halves: [number, number][] = [[0.0625, 0.062], [0.1875, 0.188], [1.5625, 1.562]];
  for (const [half, even] of halves) {
    assert.equal(roundToThree(half), even);
    assert.equal(roundToThree(-half), -even);
  }
  // what only looks like a half is one side of it
  assert.equal(roundToThree(1.0005), 1); // 1.000499999999999989…
  assert.equal(roundToThree(0.0005), 0.001); // 0.00050000000000000001…
});
