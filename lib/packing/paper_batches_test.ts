import assert from "node:assert/strict";
import { paperBatches } from "./paper_batches.ts";

Deno.test("one process: batches of 2,048 and the rest", () => {
  assert.deepEqual(paperBatches(5000, 1), [2048, 2048, 904]);
  assert.deepEqual(paperBatches(4096, 1), [2048, 2048]);
  assert.deepEqual(paperBatches(0, 1), []);
});

Deno.test("shards are contiguous, the first ones larger by one", () => {
  assert.deepEqual(paperBatches(11, 3), [4, 4, 3]);
  assert.deepEqual(paperBatches(4100, 2), [2048, 2, 2048, 2]);
  assert.deepEqual(paperBatches(2, 8), [1, 1], "no more processes than documents");
  // the paper's command: 10,000 documents over 112 processes
  const sizes = paperBatches(10_000, 112);
  assert.equal(sizes.length, 112);
  assert.deepEqual([sizes[0], sizes[31], sizes[32], sizes[111]], [90, 90, 89, 89]);
});
