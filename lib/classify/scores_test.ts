import assert from "node:assert/strict";
import type { LapeFeature, LapeResult } from "../lape/lape_json.ts";
import { refuses } from "../../tests/support/refusals.ts";
import { predict } from "./prediction.ts";
import {
  checkFeatures,
  featureCounts,
  featureScores,
  featuresInLayer,
  normalised,
} from "./scores.ts";

function feature(layer: number, index: number, min = 1, max = 3): LapeFeature {
  return {
    ...{ layer, index, entropy: 0, probability: 0 },
    ...{ globalMin: min, globalMax: max, globalAvg: 2 },
  };
}

/** Latent 5 of layer 2 belongs to both A and C; B has none. */
const RESULT: LapeResult = {
  languages: ["A", "B", "C"],
  examples: [1, 1, 1],
  tokens: [1, 1, 1],
  layers: 4,
  features: [[feature(0, 7), feature(2, 5)], [], [
    feature(2, 5),
    feature(2, 6, 2, 2),
    feature(3, 1),
  ]],
};

const LAYERS = [0, 2].map((layer) => featuresInLayer(RESULT, layer));

Deno.test("scores by hand: slots, and their values between smallest and largest", () => {
  const { count, minMax } = featureScores(3, LAYERS, [
    // layer 0, two tokens: 7 at its largest, a latent of nobody, 7 below its smallest
    {
      offsets: Uint32Array.of(0, 2, 3),
      units: Uint32Array.of(7, 5, 7),
      values: Float32Array.of(3, 9, 0),
    },
    // layer 2, one token: 5 halfway, 6 whose range is nothing
    { offsets: Uint32Array.of(0, 2), units: Uint32Array.of(5, 6), values: Float32Array.of(2, 2.5) },
  ]);
  assert.deepEqual(count, [3, 0, 2]);
  const range = 2 + 1e-6;
  const expected = [(3 - 1) / range + (0 - 1) / range + (2 - 1) / range, 0, 1 / range + 0.5 / 1e-6];
  for (const [g, score] of expected.entries()) {
    assert.ok(Math.abs(minMax[g] - score) <= 1e-9 * Math.max(1, score), `${g}: ${minMax[g]}`);
  }
});

Deno.test("normalised scores are per feature of the layers looked at", () => {
  const counts = featureCounts(3, LAYERS);
  assert.deepEqual(counts, [2, 0, 2], "the feature of layer 3 is not looked at");
  assert.deepEqual(normalised([3, 0, 2], counts), [1.5, 0, 1]);
});

Deno.test("ties go to the first language, and texts without any score say so", () => {
  assert.deepEqual(predict([1, 4, 4]), { language: 1, sharedBy: 2, empty: false });
  assert.deepEqual(predict([0, 0, 0]), { language: 0, sharedBy: 3, empty: true });
  assert.deepEqual(predict([-2, -1]), { language: 1, sharedBy: 1, empty: false });
});

Deno.test("features of another model are refused", async () => {
  const check = (widths: [number, number][]) => () =>
    checkFeatures(RESULT, new Map(widths), "lape.json");
  check([[0, 8], [2, 7], [3, 2]])();
  check([[2, 7]])(); // features of other layers are not looked at
  await refuses(check([[0, 8], [2, 6]]), /lape\.json names feature 6 of layer 2, but there are 6/);
  await refuses(check([[1, 100], [7, 100]]), /lape\.json names no feature of layer 1, layer 7/);
});
