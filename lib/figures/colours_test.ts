import assert from "node:assert/strict";
import {
  diverging,
  INK,
  inkOn,
  NAMED,
  namedTones,
  PAPER,
  rampTones,
  sequential,
} from "./colours.ts";
import { contrast, hexOf, linearOf, oklabOf } from "./oklab.ts";

/** What eyes without red, and without green, cones make of linear sRGB (Machado et al. 2009, table 1). */
const PROTAN = [
  [0.152286, 1.052583, -0.204868],
  [0.114503, 0.786281, 0.099216],
  [-0.003882, -0.048116, 1.051998],
];
const DEUTAN = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
];
const USUAL = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

function seen(hex: string, eye: readonly (readonly number[])[]): number[] {
  const linear = linearOf(hex);
  return oklabOf(
    eye.map((row) =>
      Math.min(1, Math.max(0, row.reduce((sum, factor, i) => sum + factor * linear[i], 0)))
    ),
  );
}

function nearest(colours: readonly string[], eye: readonly (readonly number[])[]): number {
  const places = colours.map((colour) => seen(colour, eye));
  return Math.min(
    ...places.flatMap((a, i) =>
      places.slice(i + 1).map((b) => Math.hypot(...a.map((value, k) => value - b[k])))
    ),
  );
}

Deno.test("OKLCH: the published coordinates of sRGB's red, white and black", () => {
  assert.equal(hexOf([0.62796, 0.25768, 29.234]), "#ff0000");
  assert.equal(hexOf([1, 0, 0]), "#ffffff");
  assert.equal(hexOf([0, 0, 0]), "#000000");
  assert.equal(contrast("#000000", "#ffffff"), 21);
});

Deno.test("the sixteen colours of names: apart for three kinds of eyes, readable on both papers", () => {
  for (const theme of ["light", "dark"] as const) {
    const colours = NAMED.map((tone) => tone[theme]);
    assert.equal(new Set(colours).size, 16);
    assert.ok(nearest(colours, USUAL) > 0.12, `${theme} ${nearest(colours, USUAL)}`);
    for (const eye of [PROTAN, DEUTAN]) assert.ok(nearest(colours, eye) > 0.08);
    for (const colour of colours) assert.ok(contrast(colour, PAPER[theme]) >= 3, colour);
  }
});

Deno.test("languages of the paper keep their colours whoever stands beside them", () => {
  const all = namedTones(["Bulgarian", "Basque", "Chinese", "Zulu"]);
  const some = namedTones(["Chinese"]);
  assert.equal(all.get("Chinese"), some.get("Chinese"));
  assert.equal(new Set(all.values()).size, 4);
  const many = namedTones(Array.from({ length: 40 }, (_, i) => `language ${i}`));
  assert.equal(new Set(many.values()).size, 16);
});

Deno.test("scales rise in equal steps of lightness, in light and dark, and carry readable numbers", () => {
  const lightness = (hex: string) => oklabOf(linearOf(hex))[0];
  for (const theme of ["light", "dark"] as const) {
    const steps = Array.from({ length: 11 }, (_, i) => lightness(sequential(i / 10)[theme]));
    const rises = steps.slice(1).map((value, i) => Math.abs(value - steps[i]));
    assert.ok(Math.max(...rises) < 1.5 * Math.min(...rises), `${theme} ${rises}`);
    const [low, neutral, high] = [0, 0.5, 1].map((share) => diverging(share)[theme]);
    assert.ok(contrast(neutral, PAPER[theme]) < 1.5);
    assert.ok(Math.abs(lightness(low) - lightness(high)) < 0.03);
    for (let i = 0; i <= 10; i++) {
      for (const tone of [sequential(i / 10), diverging(i / 10)]) {
        assert.ok(contrast(inkOn(tone)[theme], tone[theme]) >= 4.5);
      }
    }
    assert.ok(contrast(INK[theme], PAPER[theme]) >= 7);
  }
  assert.equal(rampTones(["0", "1", "2"]).size, 3);
  assert.equal(rampTones(["0"]).get("0")?.light, rampTones(["0", "1"]).get("0")?.light);
});
