import assert from "node:assert/strict";
import { wilson } from "./proportion.ts";

Deno.test("Wilson's interval is that of statsmodels", () => {
  // statsmodels.stats.proportion.proportion_confint(hits, total, method="wilson")
  const cases = [
    [0, 10, 0, 0.27753279986288926],
    [7, 10, 0.39677814746114537, 0.8922087325936989],
    [10, 10, 0.7224672001371108, 1],
    [450, 1000, 0.4194153840742968, 0.4809672917742588],
  ];
  for (const [hits, total, low, high] of cases) {
    const found = wilson(hits, total);
    assert.ok(Math.abs(found.low - low) < 1e-9, `${hits} of ${total}: ${found.low}`);
    assert.ok(Math.abs(found.high - high) < 1e-9, `${hits} of ${total}: ${found.high}`);
  }
  assert.deepEqual(wilson(0, 0), { low: 0, high: 1 });
});
