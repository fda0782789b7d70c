import assert from "node:assert/strict";
import type { Firings } from "./firings.ts";
import { BOS_PIECE } from "./index_texts.ts";
import { latentWords } from "./latent_words.ts";

const PIECES = [
  [BOS_PIECE, "the", " cat", " sat", " on", " the", " mat", " today, not", " tomorrow"],
  [BOS_PIECE, "ฮ", "", "า", " x"],
];

function firings(...list: readonly (readonly [number, number, number])[]): Firings {
  return {
    texts: Uint32Array.from(list, ([text]) => text),
    tokens: Uint32Array.from(list, ([, token]) => token),
    values: Float32Array.from(list, ([, , value]) => value),
  };
}

Deno.test("tokens by how often, peaks where it is strong", () => {
  const { tokens, peaks } = latentWords(
    [firings([0, 2, 4], [0, 3, 1]), firings([1, 1, 1], [1, 2, 1.5])],
    (text) => PIECES[text],
  );
  // the second part of a split character counts for the whole
  assert.deepEqual(tokens, ["ฮ", " cat", " sat"]);
  assert.deepEqual(peaks, ["the cat sat on the mat today, n", "ฮา x"]);
});

Deno.test("a latent that never fires has no words", () => {
  assert.deepEqual(latentWords([], () => []), { tokens: [], peaks: [] });
});
