import assert from "node:assert/strict";
import { InputError } from "./input_error.ts";

Deno.test("a sentence is kept as it is", () => {
  const sentence = "Cannot read 日本/ä.npz: it does not exist; check the path.";
  assert.equal(new InputError(sentence).message, sentence);
});

Deno.test("what steers terminals or ends lines becomes a space", () => {
  const { message } = new InputError("x has \u001b[2J\r\n\u0085\u009b1m\u2028\u0000 \u007f, y.");
  assert.equal(message, "x has  [2J 1m   , y.");
});

Deno.test("a long message keeps its begin and its end", () => {
  const { message } = new InputError(`file ${"\u{1f600}".repeat(100_000)}; fetch it again.`);
  assert.equal(message.length, 1500);
  assert.match(message, /^file .* … .*; fetch it again\.$/u);
  assert.ok(message.isWellFormed());
});
