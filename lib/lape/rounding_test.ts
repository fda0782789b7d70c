import assert from "node:assert/strict";
import { roundHalfToEven } from "./rounding.ts";

Deno.test("halves go to the even neighbour, as in Python", () => {
  const cases = [[0.5, 0], [1.5, 2], [2.5, 2], [3.5, 4], [-0.5, 0], [-1.5, -2], [-2.5, -2]];
  for (const [x, expected] of cases) assert.equal(roundHalfToEven(x) + 0, expected, `${x}`);
});

Deno.test("everything else goes to the nearest integer", () => {
  const cases = [[0.49, 0], [0.51, 1], [2.4999, 2], [-0.51, -1], [7, 7], [Infinity, Infinity]];
  for (const [x, expected] of cases) assert.equal(roundHalfToEven(x) + 0, expected, `${x}`);
});

Deno.test("the paper's neuron budget is 1311 of 16 x 8192", () => {
  assert.equal(roundHalfToEven(16 * 8192 * 0.01), 1311);
});
