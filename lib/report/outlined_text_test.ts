import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import type { Face, Fonts, Outline } from "./figure_fonts.ts";
import { fontsFor } from "./figure_fonts.ts";
import { outlined } from "./outlined_text.ts";

/** A face of 10 units whose letters are marks that say where they stand: `[letter@x,y*size]`. */
function face(letters: string, advance = 5): Face {
  const outline = (letter: string, size: number, x: number, y: number): Outline => ({
    scale: (scale) => outline(letter, size * scale, x, y),
    translate: (dx, dy) => outline(letter, size, x + dx, y + dy),
    toSVG: () => `[${letter}@${x},${y}*${size}]`,
  });
  return {
    unitsPerEm: 10,
    hasGlyphForCodePoint: (codePoint) => letters.includes(String.fromCodePoint(codePoint)),
    layout: (text) => ({
      glyphs: [...text].map((letter) => ({ path: outline(letter, 1, 0, 0) })),
      positions: [...text].map(() => ({ xAdvance: advance, xOffset: 1, yOffset: 2 })),
    }),
  };
}

const FONTS: Fonts = {
  regular: [face("ab "), face("xy ", 10)],
  bold: [face("a", 20)],
  missing: [],
};

function paths(text: string, fonts = FONTS): { d: string | null; attributes: string[] }[] {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" font-size="20">${text}</svg>`;
  const { document } = parseHTML(`<html><body>${outlined(svg, fonts)}</body></html>`);
  assert.equal(document.querySelectorAll("text").length, 0);
  return [...document.querySelectorAll("path")].map((path) => ({
    d: path.getAttribute("d"),
    attributes: [...path.attributes].map(({ name, value }) => `${name}=${value}`).toSorted(),
  }));
}

Deno.test("letters stand where the text would: anchors, sizes that are inherited, lengths in em", () => {
  // 20 pixels are 10 units: two letters of 5 units are 20 pixels wide
  const [start] = paths(`<text x="100" y="50">ab</text>`);
  assert.equal(start.d, "[a@102,46*2][b@112,46*2]");
  const [middle] = paths(`<g text-anchor="middle"><text x="100" y="50">ab</text></g>`);
  assert.equal(middle.d, "[a@92,46*2][b@102,46*2]");
  const [end] = paths(`<text text-anchor="end" x="100" dy="0.5em" font-size="10">ab</text>`);
  assert.equal(end.d, "[a@91,3*1][b@96,3*1]");
});

Deno.test("what is said of the text beside its letters stays", () => {
  const [path] = paths(
    `<text x="1" fill="#ff0000" transform="rotate(-90)" font-weight="400" aria-label="l">a</text>`,
  );
  assert.deepEqual(
    path.attributes.filter((attribute) => !attribute.startsWith("d=")),
    ["aria-label=l", "fill=#ff0000", "transform=rotate(-90)"],
  );
});

Deno.test("letters come from the first face that has them, spaces stay with their word", () => {
  const [path] = paths(`<text>ax y b?</text>`);
  // a 5 units; x, space, y 10 each; space of y; b, and ? for which the first face stands in
  const places = [...path.d!.matchAll(/\[(.)@(\d+)/g)].map(([, letter, x]) => [letter, Number(x)]);
  assert.deepEqual(places, [
    ...[["a", 2], ["x", 12], [" ", 32], ["y", 52], [" ", 72], ["b", 92], ["?", 102]],
  ]);
});

Deno.test("bold text has the bold face first", () => {
  const [path] = paths(`<g font-weight="600"><text>ab</text></g>`);
  assert.equal(path.d, "[a@2,-4*2][b@42,-4*2]");
});

Deno.test("a stroke around letters lies behind them", () => {
  const [behind, letters] = paths(`<g stroke="#ffffff"><text>a</text></g>`);
  assert.equal(behind.d, letters.d);
  assert.ok(letters.attributes.includes("stroke=none"));
  assert.ok(!behind.attributes.some((attribute) => attribute.startsWith("stroke=")));
});

Deno.test("without any font there are no letters, and no fault", () => {
  assert.equal(paths(`<text>ab</text>`, { regular: [], bold: [], missing: ["Latin"] })[0].d, "");
});

Deno.test("the fonts of a text: those of its scripts, or their names", async () => {
  const latin = await fontsFor("abc");
  const thai = await fontsFor("abc ไทย");
  assert.equal(
    thai.regular.length + thai.missing.length,
    latin.regular.length + latin.missing.length + 1,
  );
  assert.ok(thai.missing.every((name) => ["Latin", "Thai"].includes(name)));
});
