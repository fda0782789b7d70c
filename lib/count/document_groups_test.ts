import assert from "node:assert/strict";
import { groupDocuments, GroupedFirings } from "./document_groups.ts";

Deno.test("few documents are groups of their own, in the order of their numbers", () => {
  assert.deepEqual(groupDocuments("udhr", [12, 0, 12, 2], 3), {
    labels: ["udhr:0", "udhr:2", "udhr:12"],
    ofText: [2, 0, 2, 1],
  });
});

Deno.test("many documents are grouped by remainder, and labels say so", () => {
  assert.deepEqual(groupDocuments("a/b", [12, 0, 13, 4], 3), {
    labels: ["a/b:0/3", "a/b:1/3"],
    ofText: [0, 0, 1, 1],
  });
});

Deno.test("without groups there are no labels", () => {
  assert.deepEqual(groupDocuments("udhr", [1, 2], 0), { labels: [], ofText: [0, 0] });
});

Deno.test("firings of layers become entries by group, in the order of labels", () => {
  const firings = new GroupedFirings(["udhr:9", "udhr:10", "udhr:2"]);
  firings.add(Uint32Array.of(0, 5, 1, 0, 0, 0), 0);
  firings.add(Uint32Array.of(7, 0, 0, 2, 0, 0), 2);
  assert.deepEqual(firings.finish(Uint32Array.of(9, 4, 0)), {
    labels: ["udhr:10", "udhr:9"],
    tokens: Uint32Array.of(4, 9),
    offsets: Uint32Array.of(0, 2, 4),
    units: Uint32Array.of(0, 3, 1, 2),
    firedTokens: Uint32Array.of(1, 2, 5, 7),
  });
});
