import assert from "node:assert/strict";
import type { FeatureClassifier } from "../../classify/feature_classifier.ts";
import { allHookpoints } from "../../nn/hookpoints.ts";
import { triedOf } from "./tried.ts";

const NAMES = ["layers.1.mlp", "layers.3.mlp"];

/** Of the largest and the smallest activation, which scores are normalised by. */
const owner = (language: number, min: number, max: number) => ({ language, min, range: max - min });

const CLASSIFIER: FeatureClassifier = {
  languages: ["English", "German", "Thai"],
  targets: allHookpoints(4).filter(({ name }) => NAMES.includes(name))
    .map((hookpoint) => ({ hookpoint })),
  layers: [
    new Map([[7, [owner(2, 0, 4)]], [8, [owner(1, 1, 3)]]]),
    new Map([[7, [owner(0, 0, 2), owner(2, 0, 2)]], [9, [owner(0, 0, 8)]]]),
  ],
  features: [2, 1, 2],
};

function active(...tokens: readonly (readonly [unit: number, value: number])[][]) {
  const slots = tokens.flat();
  const offsets = new Uint32Array(tokens.length + 1);
  tokens.forEach((slots, token) => offsets[token + 1] = offsets[token] + slots.length);
  return {
    offsets,
    units: Uint32Array.from(slots, ([unit]) => unit),
    values: Float32Array.from(slots, ([, value]) => value),
  };
}

Deno.test("features that fire come by their sums, and languages by shares of min-max scores", () => {
  const activations = [
    active([[8, 2]], [[7, 1]], [], [[7, 2]]),
    active([], [[7, 0.5]], [[7, 1]], []),
  ];
  const tokens = ["<bos>", "a", "b", "c"];
  const { fired, languages, ...rest } = triedOf(tokens, 1, CLASSIFIER, activations);
  assert.deepEqual(rest.tokens, ["a", "b", "c"]);
  // What fires on BOS alone is not told of.
  assert.deepEqual(fired, [
    { layer: 1, index: 7, languages: ["Thai"], activations: [1, 0, 2] },
    { layer: 3, index: 7, languages: ["English", "Thai"], activations: [0.5, 1, 0] },
  ]);
  // Thai: 3 / 4 + 1.5 / 2 = 1.5; English: 0.75; German, on BOS: (2 - 1) / 2 = 0.5.
  assert.deepEqual(languages.map(({ language }) => language), ["Thai", "English", "German"]);
  for (const [i, score] of [1.5, 0.75, 0.5].entries()) {
    assert.ok(Math.abs(languages[i].score - score / 2.75) < 1e-12);
  }
});

Deno.test("where nothing fires no language has a share", () => {
  const none = active([], []);
  const { fired, languages } = triedOf(["a", "b"], 0, CLASSIFIER, [none, none]);
  assert.deepEqual(fired, []);
  assert.deepEqual(languages.map(({ score }) => score), [0, 0, 0]);
});
