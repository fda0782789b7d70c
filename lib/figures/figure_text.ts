/** Text in drawings, where there is no markup: short, on one line, nothing unseen. */
import type { NumberFormat } from "./kinds.ts";

/** What would not be seen, would reorder its surroundings, or is not allowed in XML. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\u{FEFF}\u{FFFE}\u{FFFF}]/gu;
/** Spaces of all widths. */
const SPACES = /\p{Zs}/gu;
/** Letters that take two columns. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/g;
/** Marks above and below letters, which take none. */
const MARKS = /\p{Mn}/gu;

/** What readers take for characters. */
const CHARACTERS = new Intl.Segmenter("und");

/** Fonts of drawings: those of the page's system, and Noto's for every script. */
export const FONT_FAMILY = "system-ui, 'Noto Sans', 'Noto Sans Devanagari', 'Noto Sans Thai', " +
  "'Noto Sans Arabic', 'Noto Sans Hebrew', 'Noto Sans CJK SC', 'Noto Sans CJK JP', " +
  "'Noto Sans CJK KR', sans-serif";
/** Of all text, in CSS pixels. */
export const FONT_SIZE = 11;

/** At most `limit` characters, with � for each that must not be shown. */
export function labelText(text: string, limit = 40): string {
  // a label of a megabyte is not read to its end
  const seen = text.slice(0, 8 * limit).replace(UNSEEN, "\ufffd").replace(SPACES, " ");
  if (text.length <= limit) return seen;
  const characters = Array.from(CHARACTERS.segment(seen), ({ segment }) => segment);
  if (characters.length <= limit && text.length <= 8 * limit) return seen;
  return `${characters.slice(0, limit - 1).join("")}…`;
}

/** About how many CSS pixels a label takes. */
export function textWidth(text: string, size = FONT_SIZE): number {
  const columns = text.length - (text.match(MARKS)?.length ?? 0) + (text.match(WIDE)?.length ?? 0);
  return 0.58 * size * columns;
}

/** A number for people. */
export function numberText(value: number, format: NumberFormat): string {
  if (!Number.isFinite(value)) return "";
  switch (format) {
    case "count":
      return value.toLocaleString("en");
    case "percent":
      return `${Math.round(100 * value)} %`;
    case "change":
      return changeText(value);
    default:
      return withMinus(value.toFixed(Number(format.slice(-1))));
  }
}

/** A change of perplexity as published: one decimal, 10ᵏ from a thousand on (spec section 12). */
function changeText(value: number): string {
  const size = Math.abs(value);
  if (size < 1000) return withMinus(value.toFixed(1));
  const digits = [...String(Math.trunc(Math.log10(size)))].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[+digit]);
  return `${value < 0 ? "−" : ""}10${digits.join("")}`;
}

function withMinus(text: string): string {
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}
