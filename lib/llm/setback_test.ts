import assert from "node:assert/strict";
import { backOff, retryAfter } from "./setback.ts";

Deno.test("waits double up to a minute, of which chance takes at most half", () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => backOff(n, () => 1));
  assert.deepEqual(longest, [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000));
  assert.deepEqual([1, 2, 9].map((n) => backOff(n, () => 0)), [500, 1000, 30_000]);
});

Deno.test("Retry-After has seconds or a date", () => {
  const now = Date.parse("Wed, 21 Oct 2015 07:28:00 GMT");
  assert.equal(retryAfter("120", now), 120_000);
  assert.equal(retryAfter(" 0.5 ", now), 500);
  assert.equal(retryAfter("Wed, 21 Oct 2015 07:28:30 GMT", now), 30_000);
  assert.equal(retryAfter("Wed, 21 Oct 2015 07:27:30 GMT", now), 0);
  for (const none of [null, "", "soon", "-5"]) assert.equal(retryAfter(none, now), 0);
});
