import assert from "node:assert/strict";
import { SEARCH_FILES } from "./layout.ts";
import { fileOf, wordsOf } from "./words.ts";

Deno.test("words have no case, no marks around them, and one form", () => {
  assert.deepEqual([...wordsOf("“Straße”, STRASSE; ﬁn x2!")], ["straße", "strasse", "fin", "x2"]);
  assert.deepEqual([...wordsOf("Cafe\u0301")], [...wordsOf("café")]);
  assert.deepEqual([...wordsOf(" … \ud800 ")], []);
  assert.deepEqual([...wordsOf("स्वतंत्रता")], ["स्वतंत्रता"], "with its vowel signs");
});

Deno.test("scripts without spaces are cut into neighbours", () => {
  assert.deepEqual([...wordsOf("人人生而自由")], ["人人", "人生", "生而", "而自", "自由"]);
  assert.deepEqual([...wordsOf("自由")], ["自由"]);
  assert.deepEqual([...wordsOf("자유 평등")], ["자유", "평등"], "Korean has spaces");
});

Deno.test("a word lies in the file of its beginning", () => {
  assert.equal(fileOf("freedom"), fileOf("fr"));
  assert.equal(fileOf("自由"), fileOf("自"));
  const files = new Set(["en", "de", "fr", "th", "ab", "xy"].map(fileOf));
  assert.ok(files.size > 1);
  assert.ok([...files].every((file) => file >= 0 && file < SEARCH_FILES));
});
