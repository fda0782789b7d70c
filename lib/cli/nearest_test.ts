import assert from "node:assert/strict";
import { nearest, orNearest } from "./nearest.ts";

const OPTIONS = ["lang", "layers", "out-dir", "top-k", "example-rate"];

Deno.test("one mistake of each kind still finds the word", () => {
  const mistyped = ["example-rte", "example-ratte", "example-rste", "exmaple-rate", "EXAMPLE-RATE"];
  for (const word of mistyped) assert.equal(nearest(word, OPTIONS), "example-rate");
});

Deno.test("a word that is far from all is not guessed", () => {
  assert.equal(nearest("frobnicate", OPTIONS), undefined);
  assert.equal(nearest("x", OPTIONS), undefined);
  assert.equal(nearest("lang", []), undefined);
});

Deno.test("the nearest of several wins, the first of equals", () => {
  assert.equal(nearest("layer", ["player", "layers", "layer"]), "layer");
  assert.equal(nearest("cat", ["bat", "hat"]), "bat");
});

Deno.test("the question ends a sentence either way", () => {
  assert.equal(orNearest("lnag", OPTIONS), '; did you mean "lang"?');
  assert.equal(orNearest("frobnicate", OPTIONS), ".");
});
