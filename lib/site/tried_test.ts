import assert from "node:assert/strict";
import { allHookpoints } from "../nn/hookpoints.ts";
import { triedOf } from "./tried.ts";

const TARGETS = allHookpoints(4).filter(({ name }) =>
  ["layers.1.mlp", "layers.3.mlp"].includes(name)
)
  .map((hookpoint) => ({ hookpoint }));

const FEATURES = [
  { layer: 1, index: 7, languages: ["Thai"], max: 4 },
  { layer: 3, index: 7, languages: ["English", "Thai"], max: 2 },
  { layer: 3, index: 9, languages: ["English"], max: 8 },
];

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

Deno.test("features that fire come by their sums, and languages by shares of the largest", () => {
  const activations = [
    active([[7, 1], [8, 9]], [], [[7, 2]]),
    active([[7, 0.5]], [[7, 1]], []),
  ];
  const { tokens, fired, languages } = triedOf(["a", "b", "c"], FEATURES, TARGETS, activations);
  assert.deepEqual(tokens, ["a", "b", "c"]);
  assert.deepEqual(fired, [
    { layer: 1, index: 7, languages: ["Thai"], activations: [1, 0, 2] },
    { layer: 3, index: 7, languages: ["English", "Thai"], activations: [0.5, 1, 0] },
  ]);
  // Thai: 3 / 4 + 1.5 / 2 = 1.5; English: 0.75.
  assert.deepEqual(languages, [
    { language: "Thai", score: 2 / 3 },
    { language: "English", score: 1 / 3 },
  ]);
});

Deno.test("where nothing fires there is no language", () => {
  const none = active([], []);
  assert.deepEqual(triedOf(["a", "b"], FEATURES, TARGETS, [none, none]), {
    ...{ tokens: ["a", "b"], fired: [], languages: [] },
  });
});
