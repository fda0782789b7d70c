import assert from "node:assert/strict";
import { checkGreedy, checkScore } from "./agreement.ts";
import { WrongResult } from "./workload.ts";

const PEER = {
  ids: [[3, 1, 4], [1, 5, 9]],
  margins: [[1, 2, 1e-5], [1, 2, 3]],
  first_logits: [0.5, -10, 2],
};
const LOGITS = [0.5, -10, 2];

Deno.test("greedy texts agree when all their tokens do, or part at a tie", () => {
  assert.equal(checkGreedy([[3, 1, 4], [1, 5, 9]], LOGITS, PEER), 0);
  assert.equal(checkGreedy([[3, 1, 7], [1, 5, 9]], [0.5, -10.0009, 2], PEER), 1);
});

Deno.test("another token without a tie is refused, and so are other logits", () => {
  assert.throws(() => checkGreedy([[3, 1, 4], [1, 5, 8]], LOGITS, PEER), /token 2 of text 1 is 8/);
  assert.throws(() => checkGreedy([[3, 0, 4], [1, 5, 9]], LOGITS, PEER), WrongResult);
  assert.throws(() => checkGreedy([[3], [1, 5, 9]], LOGITS, PEER), WrongResult);
  assert.throws(() => checkGreedy(PEER.ids, [0.5, -10, 2.002], PEER), /logits differ by/);
  assert.throws(() => checkGreedy(PEER.ids, [0.5, NaN, 2], PEER), WrongResult);
  assert.throws(() => checkGreedy(PEER.ids, [...LOGITS, 0], PEER), WrongResult);
});

Deno.test("scores agree within a relative error", () => {
  checkScore(1000.05, 1000);
  assert.throws(() => checkScore(1000.2, 1000), WrongResult);
  assert.throws(() => checkScore(NaN, 1000), WrongResult);
});
