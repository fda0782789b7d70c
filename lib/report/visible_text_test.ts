import assert from "node:assert/strict";
import { clipText, visibleText } from "./visible_text.ts";

Deno.test("visibleText shows what cannot be seen", () => {
  const cases: [text: string, shown: string][] = [
    ["a\nb\tc", "a↵b⇥c"],
    ["\0\x1b\x7f", "␀␛␡"],
    ["\x85", "⟨U+0085⟩"],
    ["abc\u202Ecba", "abc⟨U+202E⟩cba"],
    ["\u2066\u2069\u200F\u061C", "⟨U+2066⟩⟨U+2069⟩⟨U+200F⟩⟨U+061C⟩"],
    ["\u200B\uFEFF\u00AD", "⟨U+200B⟩⟨U+FEFF⟩⟨U+00AD⟩"],
    ["\u{E0041}", "⟨U+E0041⟩"],
    ["\uD83D", "\uFFFD"],
    ["x\uDE00y", "x\uFFFDy"],
    ["\u2028", "⟨U+2028⟩"],
  ];
  for (const [text, shown] of cases) assert.equal(visibleText(text), shown);
});

Deno.test("visibleText leaves writing as it is", () => {
  const texts = ["किया", "क्‍ष", "می‌خواهم", "👩‍👩‍👧", "ที่", "日本語", "Việt", "I\u0307", "a b"];
  for (const text of texts) assert.equal(visibleText(text), text);
});

Deno.test("clipText says how long the text was and keeps surrogate pairs whole", () => {
  assert.equal(clipText("short", 5), "short");
  assert.equal(clipText("x".repeat(1_048_576), 3), "xxx… (1,048,576 characters)");
  assert.equal(clipText("ab😀cd", 3), "ab… (6 characters)");
  assert.equal(clipText("ab😀cd", 4), "ab😀… (6 characters)");
});
