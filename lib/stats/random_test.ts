import assert from "node:assert/strict";
import { sample, seededRandom } from "./random.ts";

Deno.test("one seed gives one sequence, another seed another", () => {
  const draw = (...seed: number[]) => Array.from({ length: 5 }, seededRandom(...seed));
  assert.deepEqual(draw(7), draw(7));
  const all = [draw(7), draw(8), draw(7, 0), draw(0, 7), draw(7 + 2 ** 32)];
  assert.equal(new Set(all.map(String)).size, all.length);
});

Deno.test("numbers are uniform: chi-square of 64 bins over 64,000 draws", () => {
  for (const seed of [0, 1, 2, 3, 12345]) {
    const random = seededRandom(seed);
    const bins = new Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) bins[Math.floor(random() * 64)]++;
    const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 63 degrees of freedom: 99.9 % lie between 31 and 107
    assert.ok(chiSquare > 31 && chiSquare < 107, `seed ${seed}: ${chiSquare}`);
  }
});

Deno.test("neighbouring seeds are not correlated", () => {
  const firsts = Array.from({ length: 10_000 }, (_, seed) => seededRandom(seed)());
  const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length;
  const lagged = firsts.slice(1).reduce((sum, v, i) => sum + (v - 0.5) * (firsts[i] - 0.5), 0);
  assert.ok(Math.abs(mean - 0.5) < 0.012, `mean ${mean}`); // 4 standard errors
  assert.ok(Math.abs(lagged / firsts.length * 12) < 0.04, `correlation ${lagged}`);
});

Deno.test("a sample holds different numbers, and every number is as likely", () => {
  const random = seededRandom(1);
  const drawn = new Array<number>(10).fill(0);
  for (let i = 0; i < 20_000; i++) {
    const values = sample(random, 10, 3);
    assert.equal(new Set(values).size, 3);
    for (const value of values) drawn[value]++;
  }
  for (const count of drawn) assert.ok(Math.abs(count - 6000) < 300, String(drawn));
  assert.deepEqual(sample(random, 5, 5).sort(), [0, 1, 2, 3, 4]);
  assert.throws(() => sample(random, 2, 3), RangeError);
});
