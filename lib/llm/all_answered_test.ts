import assert from "node:assert/strict";
import { allAnswered } from "./all_answered.ts";

Deno.test("answers come in the order of the questions", async () => {
  const slow = new Promise((resolve) => setTimeout(() => resolve("slow"), 5));
  assert.deepEqual(await allAnswered([slow, Promise.resolve("fast")]), ["slow", "fast"]);
});

Deno.test("a failure does not leave the others behind", async () => {
  let answered = false;
  const slow = new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => {
    answered = true;
  });
  await assert.rejects(allAnswered([Promise.reject(new Error("first")), slow]), /first/);
  assert.ok(answered);
});
