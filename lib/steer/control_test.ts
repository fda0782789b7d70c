import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import type { LapeFeature } from "../lape/lape_json.ts";
import { randomControl } from "./control.ts";

function feature(layer: number, index: number): LapeFeature {
  const activations = { globalMax: 10 * layer + index, globalMin: index, globalAvg: layer };
  return { layer, index, entropy: 0.5, probability: 0.9, ...activations };
}

const FEATURES = [feature(0, 3), feature(4, 0), feature(4, 5), feature(4, 6)];
const WIDTHS = [20, 0, 0, 0, 7];
const control = (...seed: number[]) => randomControl(FEATURES, (layer) => WIDTHS[layer], ...seed);

Deno.test("a control has other features of the same layers with the same activations", () => {
  for (let seed = 0; seed < 50; seed++) {
    const drawn = control(seed);
    assert.deepEqual(drawn.map(({ layer }) => layer), [0, 4, 4, 4]);
    for (const key of ["globalMax", "globalMin", "globalAvg"] as const) {
      assert.deepEqual(drawn.map((f) => f[key]), FEATURES.map((f) => f[key]));
    }
    const [zero, ...four] = drawn.map(({ index }) => index);
    assert.ok(zero !== 3 && zero >= 0 && zero < 20);
    assert.equal(new Set(four).size, 3);
    assert.ok(four.every((index) => [1, 2, 3, 4].includes(index)));
  }
});

Deno.test("a control is its seed's, and every other feature is drawn equally often", () => {
  assert.deepEqual(control(1, 2), control(1, 2));
  assert.notDeepEqual(control(1, 2), control(2, 1));
  const draws = 4000;
  const counts = new Array<number>(20).fill(0);
  for (let seed = 0; seed < draws; seed++) counts[control(seed)[0].index]++;
  const expected = draws / 19;
  const chi = counts.reduce((sum, n, i) => i === 3 ? sum : sum + (n - expected) ** 2 / expected, 0);
  assert.equal(counts[3], 0);
  assert.ok(chi < 42.3, `chi-square of 18 degrees: ${chi}`); // its 99.9 % quantile
});

Deno.test("a layer with more own features than others has no control", () => {
  assert.throws(() => randomControl([feature(0, 1), feature(0, 2)], () => 3, 0), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /^2 of layer 0's 3 latents or neurons are one language's own/);
    return true;
  });
});
