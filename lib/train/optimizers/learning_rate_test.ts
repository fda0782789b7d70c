import assert from "node:assert/strict";
import { defaultLearningRate, scheduledSteps, warmUpThenDecay } from "./learning_rate.ts";

Deno.test("default learning rates of a coder of 131,072 latents", () => {
  const rate = (name: "signum" | "adam" | "muon") => defaultLearningRate(name, 131072);
  assert.equal(rate("signum").toPrecision(4), "0.001768");
  assert.equal(rate("adam").toPrecision(3), "0.0000707");
  assert.equal(rate("muon"), 2e-3);
  assert.equal(defaultLearningRate("signum", 16384), 5e-3);
});

Deno.test("a rate rises from 0, then falls to 0 and stays there", () => {
  const rate = warmUpThenDecay(8, 4, 12);
  const rates = Array.from({ length: 14 }, (_, step) => rate(step));
  assert.deepEqual(rates, [0, 2, 4, 6, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]);
});

Deno.test("a rate without warm-up begins at its peak", () => {
  const rate = warmUpThenDecay(3, 0, 3);
  assert.deepEqual([0, 1, 2, 3].map(rate), [3, 2, 1, 0]);
});

Deno.test("a training shorter than its warm-up ends while rates rise", () => {
  const rate = warmUpThenDecay(10, 10, 3);
  assert.deepEqual([0, 1, 2].map(rate), [0, 1, 2]);
});

Deno.test("a schedule counts steps of the optimizer; the paper's counts micro-batches", () => {
  assert.equal(scheduledSteps(23, 4), 5);
  assert.equal(scheduledSteps(23, 4, "paper"), 23);
});
