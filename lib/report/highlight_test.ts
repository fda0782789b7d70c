import assert from "node:assert/strict";
import demo from "../../tests/fixtures/report/demo.json" with { type: "json" };
import { highlightedText, mergeByGrapheme } from "./highlight.ts";
import type { ReportFeature, ReportPiece } from "./report_data.ts";

const pieces = (...list: [string, number][]): ReportPiece[] =>
  list.map(([text, activation]) => ({ text, activation }));

function shown(list: ReportPiece[], max = 1): string {
  const feature = { max } as ReportFeature;
  return highlightedText({ language: "en", label: "", pieces: list }, feature).source;
}

Deno.test("pieces inside a grapheme cluster are joined, as active as the most active", () => {
  assert.deepEqual(
    mergeByGrapheme(pieces(["क", 0], ["ि", 2], ["या", 0])),
    pieces(["कि", 2], ["या", 0]),
  );
  assert.deepEqual(mergeByGrapheme(pieces(["e", 1], ["\u0301t", 0])), pieces(["e\u0301t", 1]));
  assert.deepEqual(
    mergeByGrapheme(pieces(["👩", 1], ["\u200d", 3], ["👧", 2], ["!", 0])),
    pieces(["👩\u200d👧", 3], ["!", 0]),
  );
});

Deno.test("a token that ends inside a character is joined to the one that completes it", () => {
  assert.deepEqual(
    mergeByGrapheme(pieces(["a", 0], ["", 4], ["", 0], ["漢", 1], ["字", 0])),
    pieces(["a", 0], ["漢", 4], ["字", 0]),
  );
});

Deno.test("merging keeps every text of the corpus and cuts it only between graphemes", () => {
  const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  let joined = 0;
  for (const tokens of demo.texts.flat()) {
    const merged = mergeByGrapheme(tokens.map((text) => ({ text, activation: 1 })));
    const text = tokens.join("");
    assert.equal(merged.map((piece) => piece.text).join(""), text);
    const borders = new Set(Array.from(graphemes.segment(text), ({ index }) => index));
    let at = 0;
    for (const piece of merged) {
      assert.ok(borders.has(at), `"${piece.text}" starts inside a grapheme of "${text}"`);
      at += piece.text.length;
    }
    joined += tokens.length - merged.length;
  }
  assert.ok(joined > 100, `the fixture no longer splits graphemes (${joined} joined)`);
});

Deno.test("shade is the tenth of the feature's maximum, silence has none", () => {
  assert.equal(
    shown(pieces(["a", 0], ["b", 0.01], ["c", 0.5], ["d", 1], ["e", -1])),
    'a<mark class="a1" title="0.01">b</mark><mark class="a5" title="0.50">c</mark>' +
      '<mark class="a10" title="1.00">d</mark>e',
  );
});

Deno.test("a maximum that is too low or zero still gives a shade", () => {
  assert.match(shown(pieces(["a", 3]), 1), /class="a10"/);
  assert.match(shown(pieces(["a", 3]), 0), /class="a10"/);
});

Deno.test("a long text is cut around its strongest token", () => {
  const list = Array.from({ length: 1000 }, (_, at) => `w${at} `)
    .map((text, at) => ({ text, activation: at === 500 ? 1 : 0 }));
  const text = shown(list);
  assert.match(text, /^… w470 .*<mark class="a10" title="1.00">w500 <\/mark>.*w529 {2}…$/);
  const start = shown(list.map((piece, at) => ({ ...piece, activation: at === 0 ? 1 : 0 })));
  assert.match(start, /^<mark[^>]*>w0 <\/mark>.*w59 {2}…$/);
  const end = shown(list.map((piece, at) => ({ ...piece, activation: at === 999 ? 1 : 0 })));
  assert.match(end, /^… w940 .*>w999 <\/mark>$/);
});

Deno.test("a token of a megabyte is clipped before it costs anything", () => {
  const text = shown(pieces(["x".repeat(2 ** 20), 1]));
  assert.ok(text.length < 400, `${text.length} characters`);
  assert.match(text, /1,048,576 characters/);
});
