import { type Html, markup } from "./html.ts";
import { decimalText } from "./numbers.ts";
import type { ReportExample, ReportFeature, ReportPiece } from "./report_data.ts";
import { clipText } from "./visible_text.ts";

/** Shades of the highlight; report.css has one class for each. */
const LEVELS = 10;
/** Pieces of an example that are shown. */
const WINDOW = 60;
/** Pieces around the strongest one that are looked at; bounds the work on endless texts. */
const REACH = 300;
/** UTF-16 units of one piece that are shown. */
const PIECE_LIMIT = 200;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Pieces joined wherever a border between them is not one between grapheme clusters (user-perceived
 * characters), so that no letter is torn from its vowel sign or accent. A joined piece is as active
 * as its most active part.
 */
export function mergeByGrapheme(pieces: readonly ReportPiece[]): ReportPiece[] {
  const text = pieces.map((piece) => piece.text).join("");
  const borders = new Set(Array.from(graphemes.segment(text), (segment) => segment.index));
  borders.add(text.length);
  const merged: ReportPiece[] = [];
  let open: ReportPiece = { text: "", activation: 0 };
  let at = 0;
  for (const { text, activation } of pieces) {
    open = { text: open.text + text, activation: Math.max(open.activation, activation) };
    at += text.length;
    if (open.text === "" || !borders.has(at)) continue;
    merged.push(open);
    open = { text: "", activation: 0 };
  }
  return merged;
}

function strongest(pieces: readonly ReportPiece[]): number {
  return pieces.reduce((best, p, at) => p.activation > pieces[best].activation ? at : best, 0);
}

/** `size` neighbours with the strongest in the middle, shifted inwards at the ends of the text. */
function aroundStrongest(pieces: readonly ReportPiece[], size: number) {
  const from = Math.max(0, Math.min(strongest(pieces) - size / 2, pieces.length - size));
  const shown = pieces.slice(from, from + size);
  return { shown, cutBefore: from > 0, cutAfter: from + shown.length < pieces.length };
}

/** 0 where the feature is silent, else 1 to LEVELS as a share of its maximum. */
function level(activation: number, max: number): number {
  if (!(activation > 0)) return 0;
  return Math.max(1, Math.min(LEVELS, Math.ceil(LEVELS * activation / max) || LEVELS));
}

function mark({ text, activation }: ReportPiece, max: number): Html {
  const shade = level(activation, max);
  if (shade === 0) return markup`${text}`;
  return markup`<mark class="a${shade}" title="${decimalText(activation, 2)}">${text}</mark>`;
}

/** The text of an example, its tokens shaded by activation, cut around the strongest one. */
export function highlightedText(example: ReportExample, feature: ReportFeature): Html {
  const near = aroundStrongest(example.pieces, 2 * REACH);
  const clipped = near.shown.map(({ text, activation }) => ({
    text: clipText(text, PIECE_LIMIT),
    activation,
  }));
  const { shown, cutBefore, cutAfter } = aroundStrongest(mergeByGrapheme(clipped), WINDOW);
  return markup`${near.cutBefore || cutBefore ? "… " : ""}${
    shown.map((piece) => mark(piece, feature.max))
  }${near.cutAfter || cutAfter ? " …" : ""}`;
}
