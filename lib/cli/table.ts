/** Aligned text tables for a terminal, in any script. */
import { eastAsianWidth } from "get-east-asian-width";

/** One column of a table. */
export interface Column {
  readonly header: string;
  /** Numbers read best on the right; the default is left. */
  readonly align?: "left" | "right";
  /** Widest that a cell may be, in terminal cells; longer ones are cut and end in `…`. */
  readonly maxWidth?: number;
}

/**
 * Lays out rows under a header and a rule, two spaces between columns, no spaces at line ends.
 *
 * @param rows one text per column
 * @returns the lines, without a final line end
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map(({ header }) => header), ...rows].map((row) =>
    columns.map(({ maxWidth = Infinity }, i) => clip(visible(row[i]), maxWidth))
  );
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i]))));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => pad(cell, widths[i], columns[i].align)).join("  ").trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join("\n");
}

/**
 * Terminal cells that a text takes: two for East Asian wide characters and emoji, none for combining
 * marks. Counted per code point, as terminals do, not per grapheme: a Devanagari conjunct or a Thai
 * vowel is drawn over as many cells as it has base characters.
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += EMOJI.test(segment) ? 2 : sum([...segment].map(codePointWidth));
  }
  return width;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const EMOJI = /^\p{RGI_Emoji}$/v;
// Marks drawn on the character before, format controls, and Hangul vowels and finals.
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

function codePointWidth(character: string): number {
  return NO_WIDTH.test(character) ? 0 : eastAsianWidth(character.codePointAt(0)!);
}

/** Cuts a text to `width` cells, the last of them `…` where something was cut; whole graphemes. */
export function clip(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    if (displayWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Control characters would break the table, or worse, command the terminal. */
function visible(text: string): string {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(
    /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    "�",
  );
}

function pad(cell: string, width: number, align: Column["align"] = "left"): string {
  const space = " ".repeat(width - displayWidth(cell));
  return align === "right" ? space + cell : cell + space;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
