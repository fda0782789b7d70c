import assert from "node:assert/strict";
import { labelText, numberText, textWidth } from "./figure_text.ts";

Deno.test("labels: short, whole characters, nothing unseen", () => {
  assert.equal(labelText("Deutsch"), "Deutsch");
  assert.equal(labelText("<script>alert(1)</script>"), "<script>alert(1)</script>");
  assert.equal(labelText("a\u202eb\u0000c\ud800d\ne"), "a\ufffdb\ufffdc\ufffdd\ufffde");
  assert.equal(labelText("हिन्दी".repeat(3), 4), "हिन्दीहि…"); // हि न्दी हि
  assert.equal(labelText("👩‍👩‍👧x", 2), "👩‍👩‍👧x");
  const long = labelText("x".repeat(1e6));
  assert.equal(long, `${"x".repeat(39)}…`);
});

Deno.test("numbers as people write them, and changes of perplexity as published", () => {
  assert.equal(numberText(1234, "count"), "1,234");
  assert.equal(numberText(0.5, "percent"), "50 %");
  assert.equal(numberText(-0.126, "fixed2"), "−0.13");
  assert.equal(numberText(-0.001, "fixed2"), "0.00");
  assert.equal(numberText(999.94, "change"), "999.9");
  assert.equal(numberText(1000, "change"), "10³");
  assert.equal(numberText(2.8e6, "change"), "10⁶");
  assert.equal(numberText(-5e12, "change"), "−10¹²");
  assert.equal(numberText(NaN, "fixed1"), "");
});

Deno.test("wide letters take twice the room, marks none", () => {
  assert.equal(textWidth("日本"), textWidth("abcd"));
  assert.equal(textWidth("กี่"), textWidth("k"));
});
