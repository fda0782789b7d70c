/** Choices of windows: as published by Python's word, by default disjoint. */
import assert from "node:assert/strict";
import golden from "../../../tests/fixtures/interpret_examples/sampling.json" with { type: "json" };
import { seededRandom } from "../../stats/random.ts";
import { publishedTenths, tenthsOf } from "./normalised.ts";
import {
  choosePublishedWindows,
  chooseWindows,
  type ChosenWindow,
  type SamplingOptions,
} from "./sampling.ts";

const PAPER: SamplingOptions = {
  nExamplesTrain: 40,
  trainType: "top",
  nExamplesTest: 50,
  testType: "quantiles",
  nQuantiles: 10,
  ratioTop: 0.2,
};
const pairs = (chosen: readonly ChosenWindow[]) =>
  chosen.map(({ index, quantile }) => [index, quantile]);

for (const { count, options, train, test } of golden.cases) {
  const { trainType, testType } = options;
  Deno.test(`as published: ${trainType} and ${testType} of ${count} windows`, () => {
    const chosen = choosePublishedWindows(count, options as SamplingOptions);
    assert.deepEqual(pairs(chosen.train), train);
    assert.deepEqual(pairs(chosen.test), test);
  });
}

Deno.test("a mix of 40 as published has 38 windows, and top tests 40 to 49", () => {
  const { train, test } = choosePublishedWindows(500, {
    ...PAPER,
    trainType: "mix",
    testType: "top",
  });
  assert.equal(train.length, 38);
  // of 37, trunc(7.4) are the strongest, and slices share trunc(29.6)
  const fewer = { ...PAPER, nExamplesTrain: 37, trainType: "mix" } as const;
  assert.equal(choosePublishedWindows(500, fewer).train.length, 7 + 20);
  assert.deepEqual(test.map(({ index }) => index), [40, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
});

for (const trainType of ["top", "random", "quantiles", "mix"] as const) {
  for (const testType of ["quantiles", "top"] as const) {
    Deno.test(`${trainType} and ${testType}: disjoint, and as many as asked for`, () => {
      for (const count of [0, 1, 2, 9, 17, 89, 90, 91, 200, 6694]) {
        for (const nQuantiles of [1, 3, 10]) {
          const options = { ...PAPER, trainType, testType, nQuantiles };
          const choose = () => chooseWindows(count, options, seededRandom(count, nQuantiles));
          const { train, test } = choose();
          assert.deepEqual(choose(), { train, test });
          const all = [...train, ...test].map(({ index }) => index);
          assert.equal(new Set(all).size, all.length);
          assert.ok(all.every((index) => index >= 0 && index < count));
          assert.ok(train.every(({ quantile }) => quantile < nQuantiles));
          const most = Math.min(count, 90);
          // slices of few windows may be shorter than their share
          const least = count >= 200 ? most : most - 2 * nQuantiles;
          assert.ok(all.length >= least && all.length <= most, `${all.length} of ${count}`);
          if (count >= 90) assert.ok(train.length <= 40 && test.length <= 50);
        }
      }
    });
  }
}

Deno.test("windows to score on are slices of what is left, the strongest first", () => {
  const { train, test } = chooseWindows(240, PAPER, seededRandom(1));
  assert.deepEqual(train.map(({ index }) => index), Array.from({ length: 40 }, (_, i) => i));
  for (const { index, quantile } of test) {
    assert.equal(Math.floor((index - 40) / 20), quantile);
  }
  const perSlice = Map.groupBy(test, ({ quantile }) => quantile);
  assert.deepEqual([...perSlice.values()].map(({ length }) => length), Array(10).fill(5));
  const other = chooseWindows(240, PAPER, seededRandom(2));
  assert.notDeepEqual(other.test, test);
});

Deno.test("activations as published are torch's in f16", () => {
  const values = Float32Array.from(golden.activations);
  for (const [i, max] of golden.maxima.entries()) {
    assert.deepEqual([...publishedTenths(values, max)], golden.tenths[i]);
  }
});

Deno.test("what fires is at least 1 of 10, the largest is 10", () => {
  assert.deepEqual([...tenthsOf(Float32Array.of(0, 1e-4, 0.5, 0.51, 4.99, 5), 5)], [
    0,
    1,
    1,
    2,
    10,
    10,
  ]);
  assert.deepEqual([...publishedTenths(Float32Array.of(0, 1e-4, 0.5, 0.51, 4.99, 5), 5)], [
    0,
    0,
    1,
    1,
    9,
    10,
  ]);
  // 2.70996… is 2.7109375 in f16, and so makes it to two tenths
  assert.deepEqual([...publishedTenths(Float32Array.of(0.27099609375), 1.35546875)], [2]);
  assert.deepEqual([...tenthsOf(Float32Array.of(0, 0), 0)], [0, 0]);
});
