import assert from "node:assert/strict";
import { activeFeatures, withSharedTokens } from "./active_features.ts";
import { activeListing } from "./active_listing.ts";

const owner = (language: number) => ({ language, min: 0, range: 1 });

/** Layer 3: latent 9 of language 0, 4 of languages 0 and 1. */
const CLASSIFIER = {
  languages: ["A", "B"],
  targets: [],
  layers: [new Map([[9, [owner(0)]], [4, [owner(0), owner(1)]]])],
  features: [2, 1],
};

/** Token 0 fires 9, token 1 nothing, token 2 both and a latent of nobody. */
const ACTIVATIONS = [{
  offsets: Uint32Array.of(0, 1, 1, 4),
  units: Uint32Array.of(9, 4, 9, 5),
  values: Float32Array.of(1, 3, 2, 7),
}];

Deno.test("features of each language, each with the tokens it fires on", () => {
  const active = activeFeatures(CLASSIFIER, ACTIVATIONS);
  const four = [{ token: 2, activation: 3 }];
  assert.deepEqual(active, [
    { target: 0, language: 0, index: 4, firings: four },
    {
      ...{ target: 0, language: 0, index: 9 },
      firings: [{ token: 0, activation: 1 }, { token: 2, activation: 2 }],
    },
    { target: 0, language: 1, index: 4, firings: four },
  ]);
});

Deno.test("as published, all features of a layer and language have all their tokens", () => {
  const shared = withSharedTokens(activeFeatures(CLASSIFIER, ACTIVATIONS));
  assert.deepEqual(shared.map(({ firings }) => firings.map(({ token }) => token)), [
    [0, 2],
    [0, 2],
    [2],
  ]);
  assert.deepEqual(shared[0].firings[0], { token: 0, activation: 0 });
});

Deno.test("the listing shows the strongest features, their tokens in context", () => {
  const checked = {
    text: "one two three",
    pieces: ["<s>", "one ", "two ", "three"],
    prediction: "A",
    scores: [["A", 2.345], ["B", 0]] as const,
    active: [
      { target: 0, language: 1, index: 4, firings: [{ token: 3, activation: 1 }] },
      { target: 0, language: 0, index: 9, firings: [{ token: 1, activation: 2 }] },
    ],
  };
  const names = { layers: [3], languages: ["A", "B"] };
  const lines = activeListing(checked, names, 1).split("\n");
  assert.deepEqual(lines.slice(0, 2), ["one two three", "→ A (A 2.35, B 0)"]);
  assert.match(lines[4], /^A +L3\/9 +1 +2\.00 +<s> \[one 2\.00\]two three$/);
  assert.equal(lines[5], "… and 1 more");
  const silent = activeListing({ ...checked, active: [] }, names, 1);
  assert.match(silent, /No feature of a language fires\.$/);
});
