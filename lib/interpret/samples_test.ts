import assert from "node:assert/strict";
import { languageOf } from "../data/languages.ts";
import { type Sample, strongestSamples, topTokens } from "./samples.ts";

function sample(code: string, pieces: string[]): Sample {
  return { language: languageOf(code), label: code, ids: new Uint32Array(pieces.length), pieces };
}

const SAMPLES = [
  sample("de", ["<bos>", "der", " Hund", " der"]),
  sample("ja", ["<bos>", "権", "", "利"]),
  sample("de", ["<bos>", "das", "der"]),
];

const FIRINGS = [
  { text: 0, token: 1, activation: 2 },
  { text: 0, token: 2, activation: 1 },
  { text: 1, token: 2, activation: 5 },
  { text: 1, token: 1, activation: 3 },
  { text: 2, token: 2, activation: 4 },
];

Deno.test("top tokens are those of one language, most frequent first", () => {
  assert.deepEqual(topTokens(FIRINGS, SAMPLES, "German", 9), [
    { text: "der", count: 2 },
    { text: " Hund", count: 1 },
  ]);
  assert.deepEqual(topTokens(FIRINGS, SAMPLES, "German", 1), [{ text: "der", count: 2 }]);
});

Deno.test("tokens that continue a character count for the character", () => {
  assert.deepEqual(topTokens(FIRINGS, SAMPLES, "Japanese", 9), [{ text: "権", count: 2 }]);
});

Deno.test("samples are ordered by their strongest activation", () => {
  const found = strongestSamples(FIRINGS, SAMPLES, "German", 9);
  assert.deepEqual(found.map(({ sample }) => sample), [SAMPLES[2], SAMPLES[0]]);
  assert.deepEqual([...found[1].activations], [0, 2, 1, 0]);
  assert.equal(strongestSamples(FIRINGS, SAMPLES, "German", 1).length, 1);
  assert.deepEqual(strongestSamples(FIRINGS, SAMPLES, "Thai", 1), []);
});
