/** The kinds of drawing, what each needs to know, and how a figure of a kind is made. */
import type { Figure, Row } from "./figure.ts";

/** Name of a column of the rows. */
export type Column = string;

/** How numbers are written in a drawing. */
export type NumberFormat = "count" | "fixed1" | "fixed2" | "fixed3" | "percent" | "change";

/** How the series of a drawing are told apart: by name, or along a ramp where they have an order. */
export type SeriesColours = "names" | "ramp";

/** Bars from 0, stacked where they have series. */
export interface BarsOptions {
  readonly category: Column;
  readonly value: Column;
  /** Categories in their order. */
  readonly categories: readonly string[];
  readonly categoryTitle: string;
  readonly valueTitle: string;
  /** Bars that lie have their categories on the left; others stand on them. */
  readonly lying: boolean;
  readonly series?: Column;
  /** In the order of stacking. */
  readonly seriesNames?: readonly string[];
  readonly seriesColours?: SeriesColours;
  /** Bars of a category lie side by side and are not stacked. */
  readonly grouped?: boolean;
  /** A small drawing for each name. */
  readonly panel?: Column;
  readonly panels?: readonly string[];
  readonly domain?: readonly [number, number];
  /** Write the sum at the end of each bar. */
  readonly labels?: NumberFormat;
}

/** How many rows have a value in each of some steps. */
export interface HistogramOptions {
  readonly value: Column;
  readonly valueTitle: string;
  readonly countTitle: string;
  /** Edges of the steps, ascending. */
  readonly edges: readonly number[];
  readonly series?: Column;
  readonly seriesNames?: readonly string[];
}

/** A cell for every two names, coloured by a value. */
export interface MatrixOptions {
  readonly x: Column;
  readonly y: Column;
  readonly value: Column;
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  readonly xTitle: string;
  readonly yTitle: string;
  readonly valueTitle: string;
  /** Values at the ends of the colours; those beyond look like them. */
  readonly domain: readonly [number, number];
  /** `diverging` has its neutral colour in the middle of the domain. */
  readonly scale: "sequential" | "diverging";
  /** Write the value in the cell. */
  readonly labels?: NumberFormat;
  /** Rows have each pair once: draw it on both sides. */
  readonly symmetric?: boolean;
  /** Names after which a line parts the cells. */
  readonly parted?: readonly string[];
  /** Frame the cells whose row and column have one name. */
  readonly framed?: boolean;
}

/** A mark per row, with a trend if one is given. */
export interface ScatterOptions {
  readonly x: Column;
  readonly y: Column;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly series?: Column;
  readonly seriesNames?: readonly string[];
  /** Of x. */
  readonly logarithmic?: boolean;
  readonly xDomain?: readonly [number, number];
  readonly yDomain?: readonly [number, number];
  readonly panel?: Column;
  readonly panels?: readonly string[];
  readonly trends?: readonly Trend[];
}

/** A straight line through a scatter, `y = intercept + slope x`, and what is said of it. */
export interface Trend {
  /** The panel it stands in, where there are some. */
  readonly panel?: string;
  readonly slope: number;
  readonly intercept: number;
  readonly text: string;
}

/** A map: places without axes, those without a series in the background. */
export interface MapOptions {
  readonly x: Column;
  readonly y: Column;
  readonly series: Column;
  readonly seriesNames: readonly string[];
}

/** Values along a line per series, in a panel per name. */
export interface LinesOptions {
  readonly x: Column;
  readonly y: Column;
  readonly low?: Column;
  readonly high?: Column;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly series: Column;
  readonly seriesNames: readonly string[];
  readonly seriesColours?: SeriesColours;
  readonly panel?: Column;
  readonly panels?: readonly string[];
  readonly yDomain?: readonly [number, number];
  /** The scale of y has 0 on it. */
  readonly fromZero?: boolean;
  /** Draw a line across at this y. */
  readonly baseline?: number;
  /** Mark the values: there are few. */
  readonly dots?: boolean;
}

/** A dot per category and series, with its interval. */
export interface DotsOptions {
  readonly category: Column;
  readonly categories: readonly string[];
  readonly value: Column;
  readonly low?: Column;
  readonly high?: Column;
  readonly valueTitle: string;
  readonly series: Column;
  readonly seriesNames: readonly string[];
  readonly domain?: readonly [number, number];
  readonly baseline?: number;
}

/** Polar drawings, as published: a ray per name, a closed line per series, one per panel. */
export interface RadarOptions {
  readonly ray: Column;
  readonly rays: readonly string[];
  readonly value: Column;
  readonly series: Column;
  readonly seriesNames: readonly string[];
  readonly panel: Column;
  readonly panels: readonly string[];
  /** Values in the middle and at the rim. */
  readonly domain: readonly [number, number];
}

/** Quartiles and whiskers, per category: the rows have the columns low, q1, median, q3, high. */
export interface BoxesOptions {
  readonly category: Column;
  readonly categories: readonly string[];
  readonly valueTitle: string;
  readonly logarithmic?: boolean;
}

/** What each kind needs to know. */
export interface Kinds {
  readonly bars: BarsOptions;
  readonly histogram: HistogramOptions;
  readonly matrix: MatrixOptions;
  readonly scatter: ScatterOptions;
  readonly map: MapOptions;
  readonly lines: LinesOptions;
  readonly dots: DotsOptions;
  readonly radar: RadarOptions;
  readonly boxes: BoxesOptions;
}

/** A figure's words. */
export interface Words {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly see: string;
}

/** A figure of a kind; it can be filtered by those of language and layer that its rows have. */
export function figureOf<K extends keyof Kinds>(
  kind: K,
  words: Words,
  options: Kinds[K],
  rows: readonly Row[],
): Figure {
  const filters = (["language", "layer"] as const)
    .filter((column) => rows.some((row) => row[column] !== undefined));
  return { ...words, kind, options: { ...options }, rows, filters };
}

/** A name as part of an anchor: `Chinese (Traditional)` → `chinese-traditional`, `x_-0.2` → `x-minus-0-2`. */
export function slug(name: string): string {
  const signed = name.toLowerCase().replace(/(^|[^\p{L}\p{N}])-(?=\.?\d)/gu, "$1minus-");
  const plain = signed.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  return plain.slice(0, 60) || "unnamed";
}
