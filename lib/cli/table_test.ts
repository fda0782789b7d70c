import assert from "node:assert/strict";
import { clip, displayWidth, table } from "./table.ts";

// From wcswidth of glibc 2.36 in C.UTF-8, which terminals on Linux agree with.
const WIDTHS: Record<string, number> = {
  "abc": 3,
  "日本語": 6,
  "한국어": 6,
  "สวัสดีน้ำ": 6,
  "ภาษาไทย": 7,
  "हिन्दी": 5,
  "क्षत्रिय": 6,
  "Việt": 4,
  "e\u0301": 1,
  "ａ": 2,
  "“x”": 3,
  "Привет": 6,
  "👍": 2,
  "🇩🇪": 2,
  "…": 1,
  "a\u200bb": 2,
  "\u1112\u1161\u11ab": 2,
};

Deno.test("texts of every script are as wide as a terminal draws them", () => {
  for (const [text, width] of Object.entries(WIDTHS)) assert.equal(displayWidth(text), width, text);
});

Deno.test("an emoji of several code points is one picture", () => {
  assert.equal(displayWidth("👨‍👩‍👧"), 2);
});

Deno.test("columns line up whatever the script", () => {
  const columns = [{ header: "language" }, { header: "n", align: "right" as const }, {
    header: "token",
  }];
  const rows = [["日本語", "1", "の"], ["हिन्दी", "1234", "है"], ["English", "56", "the"]];
  assert.equal(
    table(columns, rows),
    [
      "language     n  token",
      "────────  ────  ─────",
      "日本語       1  の",
      "हिन्दी     1234  है",
      "English     56  the",
    ].join("\n"),
  );
});

Deno.test("a table without rows is its header", () => {
  assert.equal(table([{ header: "a" }, { header: "bc" }], []), "a  bc\n─  ──");
});

Deno.test("cells are cut to the widest allowed, between whole characters", () => {
  assert.equal(clip("abcdef", 6), "abcdef");
  assert.equal(clip("abcdef", 5), "abcd…");
  assert.equal(clip("日本語", 5), "日本…");
  assert.equal(clip("日本語", 4), "日…");
  assert.equal(clip("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  assert.equal(table([{ header: "x", maxWidth: 4 }], [["abcdef"]]), "x\n────\nabc…");
});

Deno.test("text cannot break the table or command the terminal", () => {
  const cell = (text: string) => table([{ header: "x" }], [[text]]).split("\n").slice(2).join("\n");
  assert.equal(cell("a\nb\tc"), "a⏎b⇥c");
  assert.equal(cell("\x1b[2Jgone\u202e"), "�[2Jgone�");
});
