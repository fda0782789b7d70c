import assert from "node:assert/strict";
import type { LapeFeature } from "../lape/lape_json.ts";
import { lapeListing } from "./lape_listing.ts";

const feature = (layer: number, index: number, entropy: number): LapeFeature => ({
  layer,
  index,
  entropy,
  probability: 0.75,
  globalMax: 2.5,
  globalMin: 0.125,
  globalAvg: 1,
});

const result = {
  languages: ["Hindi", "Korean", "Thai"],
  examples: [1, 1, 1],
  tokens: [9, 9, 9],
  layers: 12,
  features: [[feature(0, 4, 0.5), feature(11, 3, 0.25)], [], [feature(0, 4, 0.5)]],
};

Deno.test("features follow their language, lowest entropy first, up to the number asked for", () => {
  assert.deepEqual(lapeListing(result, [2, 0, 1], 2).split("\n"), [
    "language  features  by layer  first  entropy      p  max activation",
    "────────  ────────  ────────  ─────  ───────  ─────  ──────────────",
    "Thai             1  0:1       L0/4     0.500  0.750           2.500",
    "Hindi            2  0:1 11:1  L11/3    0.250  0.750           2.500",
    "                              L0/4     0.500  0.750           2.500",
    "Korean           0",
    "",
    "2 features in 3 languages (3 times in all).",
  ]);
});

Deno.test("none asked for leaves the counts", () => {
  const lines = lapeListing(result, [0], 0).split("\n");
  assert.equal(lines[2], "Hindi            2  0:1 11:1");
  assert.equal(lines.at(-1), "2 features in 1 language.");
});
