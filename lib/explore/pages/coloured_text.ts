/** Texts whose tokens are coloured by how strongly a latent fires on them. */
import { h } from "preact";
import { mergeByGrapheme } from "../../report/highlight.ts";
import { decimalText } from "../../report/numbers.ts";
import { clipText, visibleText } from "../../report/visible_text.ts";
import type { LanguageInfo, Piece } from "../backend.ts";

/** Shades of explorer.css. */
const SHADES = 10;
/** UTF-16 units of one token that are shown. */
const PIECE_LIMIT = 200;

/** 0 where the latent is silent, else 1 to {@linkcode SHADES} as a share of its largest activation. */
export function shade(activation: number, max: number): number {
  if (!(activation > 0)) return 0;
  return Math.max(1, Math.min(SHADES, Math.ceil(SHADES * activation / max) || SHADES));
}

/**
 * A text. A border between tokens inside a character that readers see as one is no border here, so
 * that no letter is torn from its vowel sign.
 *
 * @param max activation of the strongest shade
 */
export function ColouredText(
  { pieces, max, language }: {
    readonly pieces: readonly Piece[];
    readonly max: number;
    readonly language?: LanguageInfo;
  },
) {
  const clipped = pieces.map(({ text, activation }) => ({
    text: clipText(text, PIECE_LIMIT),
    activation,
  }));
  return h(
    "bdi",
    { class: "text", lang: language?.code, dir: language?.direction ?? "auto" },
    mergeByGrapheme(clipped).map(({ text, activation }) => {
      const level = shade(activation, max);
      const seen = visibleText(text);
      if (level === 0) return seen;
      return h("mark", { class: `a${level}`, title: decimalText(activation, 2) }, seen);
    }),
  );
}

/** Marks that need a letter to stand on. */
const MARK_FIRST = /^\p{M}/u;

/** A token by itself: spaces are dots, a mark without its letter stands on a dotted circle. */
export function TokenText({ text }: { readonly text: string }) {
  const clipped = visibleText(clipText(text, 60));
  const seen = MARK_FIRST.test(clipped) ? `\u25cc${clipped}` : clipped;
  return h("code", { class: "token", dir: "auto" }, seen.replaceAll(" ", "·") || "∅");
}
