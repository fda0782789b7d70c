import assert from "node:assert/strict";
import { largest } from "./top_tokens.ts";

Deno.test("the largest logits, ties by lower token", () => {
  const tokens = (logits: number[], top: number) =>
    largest(Float32Array.from(logits), top).map(({ token }) => token);
  assert.deepEqual(tokens([-3, 5, 2, 5, -1, 5], 4), [1, 3, 5, 2]);
  assert.deepEqual(tokens([-3, -1, -2], 2), [1, 2]);
  assert.deepEqual(tokens([1, 1, 1, 1], 3), [0, 1, 2]);
  assert.deepEqual(tokens([1, 2], 5), [1, 0]);
});
