import assert from "node:assert/strict";
import { fixedAndUnitCost, growth } from "./slope.ts";

const near = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) < 1e-9, `${found}, expected ${expected}`);

Deno.test("growth: powers have their exponent as slope, and no error", () => {
  for (const exponent of [0, 1, 1.5, 2]) {
    const costs = [1, 2, 4, 64].map((size) => ({ size, cost: 3 * size ** exponent }));
    const { slope, standardError } = growth(costs);
    near(slope, exponent);
    near(standardError, 0);
  }
});

Deno.test("growth: slope and standard error of a worked example", () => {
  // log size 0, 1, 2, log cost 0, 2, 1: slope 1/2, residuals -1/2, 1, -1/2, so √(1.5 / 1 / 2).
  const costs = [[0, 0], [1, 2], [2, 1]].map(([x, y]) => ({
    size: Math.exp(x),
    cost: Math.exp(y),
  }));
  const { slope, standardError } = growth(costs);
  near(slope, 0.5);
  near(standardError, Math.sqrt(0.75));
});

Deno.test("fixed cost: exact on a line; large costs do not drown small ones", () => {
  const line = [1, 2, 4, 1000].map((size) => ({ size, cost: 5 + 0.25 * size }));
  near(fixedAndUnitCost(line).fixed, 5);
  near(fixedAndUnitCost(line).unit, 0.25);
  const noisy = line.map(({ size, cost }, i) => ({ size, cost: cost * (i % 2 ? 1.01 : 0.99) }));
  assert.ok(Math.abs(fixedAndUnitCost(noisy).fixed - 5) < 0.25);
});
