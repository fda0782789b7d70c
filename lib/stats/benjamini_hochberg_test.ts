import assert from "node:assert/strict";
import { benjaminiHochberg } from "./benjamini_hochberg.ts";
import { seededRandom } from "./random.ts";

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++) {
    assert.ok(Math.abs(found[i] - expected[i]) < 1e-12, `${i}: ${found[i]}, not ${expected[i]}`);
  }
}

Deno.test("q-values are SciPy's", () => {
  // scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.2, 0.5])
  const found = benjaminiHochberg(Float64Array.of(0.01, 0.04, 0.03, 0.2, 0.5));
  assertClose(found, [0.05, 1 / 15, 1 / 15, 0.25, 0.5]);
});

Deno.test("a q-value is the least estimated FDR of all bars that let its test through", () => {
  const random = seededRandom(1);
  // coarse, so that many are equal
  const pValues = Float64Array.from({ length: 301 }, () => Math.ceil(random() ** 2 * 20) / 20);
  const fdr = (bar: number) => pValues.length * bar / pValues.filter((p) => p <= bar).length;
  const expected = pValues.map((p) => Math.min(...pValues.filter((bar) => bar >= p).map(fdr)));
  assertClose(benjaminiHochberg(pValues), expected);
});

Deno.test("what was not tested is no test", () => {
  const found = benjaminiHochberg(Float64Array.of(NaN, 0.02, NaN, 0.03));
  assert.ok(Number.isNaN(found[0]) && Number.isNaN(found[2]));
  assertClose(found.filter((q) => !Number.isNaN(q)), [0.03, 0.03]);
  assert.equal(benjaminiHochberg(new Float64Array(0)).length, 0);
});
