import assert from "node:assert/strict";
import { clusterBootstrap, percentiles, quantile } from "./bootstrap.ts";
import { seededRandom } from "./random.ts";

Deno.test("quantiles are NumPy's", () => {
  // numpy.quantile([1, 2, 4, 8, 16], [0, .1, .25, .5, .9, 1])
  const sorted = [1, 2, 4, 8, 16];
  const shares = [0, 0.1, 0.25, 0.5, 0.9, 1];
  const found = shares.map((share) => quantile(sorted, share));
  for (const [i, expected] of [1, 1.4, 2, 4, 12.8, 16].entries()) {
    assert.ok(Math.abs(found[i] - expected) < 1e-12, `${shares[i]}: ${found[i]}`);
  }
  assert.equal(quantile([5], 0.3), 5);
  assert.ok(Number.isNaN(quantile([], 0.5)));
  assert.deepEqual(percentiles([3, NaN, 1, 2], 1), { low: 1, high: 3 });
});

Deno.test("the interval of a mean is as wide as theory has it", () => {
  const random = seededRandom(3);
  const values = Array.from({ length: 400 }, () => random());
  const [{ low, high }] = clusterBootstrap(values.length, (weights) => [
    values.reduce((sum, value, i) => sum + weights[i] * value, 0) / values.length,
  ]);
  // a uniform mean of 400: standard error sqrt(1/12/400) = 0.0144, 95 % within 1.96 of them
  assert.ok(Math.abs(high - low - 2 * 1.96 * 0.0144) < 0.008, `${low} to ${high}`);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(low < mean && mean < high);
});

Deno.test("a cluster stays whole, and one seed gives one interval", () => {
  const sizes: number[] = [];
  const statistic = (weights: Uint32Array) => {
    sizes.push(weights.reduce((sum, weight) => sum + weight, 0));
    return [weights[0], weights[1] === 0 ? NaN : 1];
  };
  const once = clusterBootstrap(7, statistic, { replicates: 200, seed: 5 });
  assert.deepEqual(clusterBootstrap(7, statistic, { replicates: 200, seed: 5 }), once);
  assert.ok(sizes.every((size) => size === 7));
  assert.deepEqual(once[1], { low: 1, high: 1 }, "where a statistic is not defined it is left out");
});
