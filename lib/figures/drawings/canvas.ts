/// <reference lib="dom" />
/** What all drawings share: colours of a theme, axes of names, panels, and what follows the pointer. */
import * as Plot from "@observablehq/plot";
import { INK, inTheme, MUTED, namedTones, PAPER, rampTones, RULE, type Tone } from "../colours.ts";
import type { Cell, Row, Surface } from "../figure.ts";
import { FONT_SIZE, labelText, textWidth } from "../figure_text.ts";
import type { SeriesColours } from "../kinds.ts";

/** A drawing, ready for Plot, and the series that its key names. */
export interface Drawing {
  readonly plot: Plot.PlotOptions;
  readonly key?: Key;
}

/** Series, as they are named above a drawing. */
export interface Key {
  readonly names: readonly string[];
  readonly tones: ReadonlyMap<string, Tone>;
  /** Series have shapes beside colours. */
  readonly symbols?: boolean;
  /** Series are lines, with dashes beside colours. */
  readonly dashes?: boolean;
}

/** Dashes of lines: the second channel of their colours. */
export const DASHES = ["none", "5,2", "1.5,2", "8,2,1.5,2"] as const;

/** Dashes of the series at a place. */
export function dashesAt(i: number): string {
  return DASHES[i % DASHES.length];
}

/** Colours of one theme. */
export class Inks {
  readonly text: string;
  readonly muted: string;
  readonly rule: string;
  readonly paper: string;

  constructor(readonly theme: Surface["theme"]) {
    this.text = this.of(INK);
    this.muted = this.of(MUTED);
    this.rule = this.of(RULE);
    this.paper = this.of(PAPER);
  }

  of(tone: Tone): string {
    return inTheme(tone, this.theme);
  }
}

/** Tones of series. */
export function seriesTones(
  names: readonly string[],
  colours: SeriesColours = "names",
): Map<string, Tone> {
  return colours === "ramp" ? rampTones(names) : namedTones(names);
}

/** A cell as a name. */
export function nameIn(row: Row, column: string | undefined): string {
  return column === undefined ? "" : String(row[column] ?? "");
}

/** A cell as a number; NaN where there is none. */
export function numberIn(row: Row, column: string): number {
  const cell: Cell | undefined = row[column];
  return typeof cell === "number" ? cell : NaN;
}

/** Most characters of a name on an axis. */
const AXIS_LABEL = 26;

/** Names that stand beside a drawing: their axis, and how wide it is. */
export function namesBeside(
  names: readonly string[],
  width: number,
): { readonly margin: number; readonly axis: Plot.ScaleOptions } {
  const longest = Math.max(0, ...names.map((name) => textWidth(labelText(name, AXIS_LABEL))));
  const margin = Math.min(0.4 * width, Math.ceil(longest) + 12);
  return { margin, axis: { ...axisOf(names), label: null } };
}

/** Names that stand under (or above) a drawing; turned where they would run into each other. */
export function namesUnder(
  names: readonly string[],
  width: number,
): { readonly margin: number; readonly axis: Plot.ScaleOptions } {
  const longest = Math.max(0, ...names.map((name) => textWidth(labelText(name, AXIS_LABEL))));
  const turned = longest + 6 > width / Math.max(1, names.length);
  return {
    margin: turned ? Math.ceil(longest) + 10 : 22,
    axis: { ...axisOf(names), label: null, tickRotate: turned ? -90 : 0 },
  };
}

function axisOf(names: readonly string[]): Plot.ScaleOptions {
  return {
    type: "band",
    domain: [...names],
    tickSize: 0,
    tickFormat: (name: string) => labelText(name, AXIS_LABEL),
  };
}

/** Where the small drawing of each name stands, row by row. */
export interface Panels {
  readonly across: number;
  readonly down: number;
  /** Channels of the facet of a row. */
  readonly channels: (column: string) => { fx: (row: Row) => number; fy: (row: Row) => number };
  /** Their names, written above them. */
  readonly titles: Plot.Markish;
  readonly scales: Pick<Plot.PlotOptions, "fx" | "fy">;
}

/**
 * Lays out small drawings.
 *
 * @param least width of one in pixels
 */
export function panelsOf(names: readonly string[], width: number, least: number): Panels {
  const across = Math.max(1, Math.min(names.length, Math.floor(width / least)));
  const down = Math.ceil(names.length / across);
  const place = new Map(names.map((name, i) => [name, i]));
  const at = (name: string) => place.get(name) ?? 0;
  const titles = Plot.text(names, {
    fx: (name: string) => at(name) % across,
    fy: (name: string) => Math.floor(at(name) / across),
    text: (name: string) => labelText(name),
    frameAnchor: "top-left",
    dy: -16,
    fontWeight: 600,
  });
  const hidden = { axis: null, type: "band" } as const;
  return {
    across,
    down,
    channels: (column) => ({
      fx: (row) => at(nameIn(row, column)) % across,
      fy: (row) => Math.floor(at(nameIn(row, column)) / across),
    }),
    titles,
    scales: {
      fx: { ...hidden, domain: range(across), padding: 0.1 },
      fy: { ...hidden, domain: range(down), padding: 0.24 },
    },
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Where rows are for the pointer, and how far from there it still means them, in pixels. */
type TipPlaces = Plot.TipOptions & Plot.PointerOptions;

/** What a row says under the pointer; nothing outside of pages. */
export function tipsOf(
  rows: readonly Row[],
  channels: TipPlaces,
  { surface, inks }: { surface: Surface; inks: Inks },
): Plot.Markish {
  if (!surface.tips) return [];
  return Plot.tip(
    rows,
    Plot.pointer({
      ...channels,
      title: (row: Row) => describe(row),
      fill: inks.paper,
      stroke: inks.muted,
      fontSize: FONT_SIZE,
    }),
  );
}

/** A row in words, a line per column. */
export function describe(row: Row): string {
  return Object.entries(row).filter(([, cell]) => cell !== null)
    .map(([column, cell]) => `${column.replaceAll("_", " ")}: ${cellText(cell)}`).join("\n");
}

function cellText(cell: Cell): string {
  if (typeof cell !== "number") return labelText(cell ?? "", 80);
  return Number.isInteger(cell) ? cell.toLocaleString("en") : String(Number(cell.toPrecision(4)));
}
