/** Bars: standing or lying, stacked or side by side, in panels. */
import * as Plot from "@observablehq/plot";
import { ACCENT } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import { numberText } from "../figure_text.ts";
import type { BarsOptions } from "../kinds.ts";
import {
  type Drawing,
  Inks,
  nameIn,
  namesBeside,
  namesUnder,
  numberIn,
  panelsOf,
  seriesTones,
  tipsOf,
} from "./canvas.ts";

/** Height of a panel of standing bars, and of a lying bar. */
const STANDING = 240;
const PANEL = 84;
const LYING = 20;

/** Draws bars. */
export function drawBars(
  rows: readonly Row[],
  options: BarsOptions,
  surface: Surface,
): Drawing {
  const inks = new Inks(surface.theme);
  const names = options.seriesNames ?? [];
  const tones = seriesTones(names, options.seriesColours);
  const fill = (row: Row) => inks.of(tones.get(nameIn(row, options.series)) ?? ACCENT);
  const key = names.length > 0 ? { names, tones } : undefined;
  const plot = options.panels
    ? panels(rows, options, options.panels, { surface, inks, fill })
    : options.grouped
    ? sideBySide(rows, options, { surface, inks, fill })
    : single(rows, options, { surface, inks, fill });
  return { plot: { ...plot, color: { type: "identity" } }, key };
}

interface Setting {
  readonly surface: Surface;
  readonly inks: Inks;
  readonly fill: (row: Row) => string;
}

/** A column as names: numbers among them would not be those of the domain. */
function named(column: string): (row: Row) => string {
  return (row) => nameIn(row, column);
}

function stackOf({ series, seriesNames }: BarsOptions) {
  return series === undefined ? {} : { z: named(series), order: [...seriesNames ?? []] };
}

function single(rows: readonly Row[], options: BarsOptions, setting: Setting): Plot.PlotOptions {
  const { category, value, categories, lying, labels, valueTitle, categoryTitle } = options;
  const { surface, inks, fill } = setting;
  const sums = labels ? sumsOf(rows, options) : [];
  const label = {
    text: ({ value }: Sum) => numberText(value, labels ?? "count"),
    fill: inks.text,
  };
  const gap = { stroke: inks.paper, strokeWidth: options.series ? 0.5 : 0 };
  const scale = { label: valueTitle, domain: options.domain, grid: true, nice: true };
  const tips = { surface, inks };
  if (lying) {
    const { margin, axis } = namesBeside(categories, surface.width);
    const bars = { x: value, y: named(category), fill, ...stackOf(options) };
    return {
      marginLeft: margin,
      marginRight: labels ? 44 : 20,
      marginBottom: 36,
      height: 60 + LYING * categories.length,
      x: scale,
      y: { ...axis, padding: 0.2 },
      marks: [
        Plot.barX(rows, { ...bars, ...gap }),
        Plot.text(sums, { ...label, x: "value", y: "category", textAnchor: "start", dx: 4 }),
        tipsOf(rows, Plot.stackX(bars), tips),
      ],
    };
  }
  const { margin, axis } = namesUnder(categories, surface.width - 60);
  const bars = { x: named(category), y: value, fill, ...stackOf(options) };
  return {
    marginBottom: margin + 18,
    marginTop: 24,
    height: STANDING + margin,
    x: { ...axis, label: categoryTitle, labelAnchor: "center", padding: 0.15 },
    y: scale,
    marks: [
      Plot.barY(rows, { ...bars, ...gap }),
      Plot.text(sums, { ...label, x: "category", y: "value", lineAnchor: "bottom", dy: -3 }),
      tipsOf(rows, Plot.stackY(bars), tips),
    ],
  };
}

function sideBySide(
  rows: readonly Row[],
  options: BarsOptions,
  { surface, inks, fill }: Setting,
): Plot.PlotOptions {
  const { category, value, categories, series = "", seriesNames } = options;
  const { margin, axis } = namesUnder(categories, surface.width - 60);
  const bars = { fx: named(category), x: named(series), y: value, fill };
  return {
    marginBottom: margin + 6,
    marginTop: 24,
    height: STANDING + margin,
    fx: { ...axis, padding: 0.15, axis: "bottom" },
    x: { axis: null, domain: [...seriesNames ?? []], padding: 0 },
    y: { label: options.valueTitle, domain: options.domain, grid: true },
    marks: [
      Plot.barY(rows, bars),
      tipsOf(rows, { ...bars, maxRadius: Infinity }, { surface, inks }),
    ],
  };
}

function panels(
  rows: readonly Row[],
  options: BarsOptions,
  names: readonly string[],
  { surface, inks, fill }: Setting,
): Plot.PlotOptions {
  const { category, value, categories, panel = "" } = options;
  const layout = panelsOf(names, surface.width, 150);
  const facet = layout.channels(panel);
  const bars = { ...facet, x: named(category), y: value, fill, ...stackOf(options) };
  const sums = options.labels ? sumsOf(rows, options) : [];
  const byPanel = layout.channels("panel");
  const room = surface.width / layout.across / categories.length;
  const every = Math.max(1, Math.ceil(16 / room));
  return {
    ...layout.scales,
    marginTop: 30,
    marginBottom: 34,
    marginLeft: 48,
    height: 60 + layout.down * (PANEL + 30),
    x: {
      type: "band",
      domain: [...categories],
      label: options.categoryTitle,
      tickSize: 0,
      ticks: categories.filter((_, i) => i % every === 0),
      padding: 0.1,
    },
    y: {
      label: options.valueTitle,
      labelAnchor: "center",
      ticks: 3,
      grid: true,
      domain: options.domain,
    },
    marks: [
      layout.titles,
      Plot.barY(rows, bars),
      Plot.text(sums, {
        fx: (sum: Sum) => byPanel.fx({ panel: sum.panel }),
        fy: (sum: Sum) => byPanel.fy({ panel: sum.panel }),
        x: "category",
        y: "value",
        text: ({ value }: Sum) => value === 0 ? "" : numberText(value, options.labels ?? "count"),
        fill: inks.muted,
        fontSize: 9,
        lineAnchor: "bottom",
        dy: -2,
      }),
      tipsOf(rows, Plot.stackY(bars), { surface, inks }),
    ],
  };
}

/** Height of a stack. */
interface Sum {
  readonly category: string;
  readonly panel: string;
  readonly value: number;
}

function sumsOf(rows: readonly Row[], { category, value, panel }: BarsOptions): Sum[] {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const at = { category: nameIn(row, category), panel: nameIn(row, panel) };
    const key = JSON.stringify(at);
    const before = sums.get(key)?.value ?? 0;
    sums.set(key, { ...at, value: before + (numberIn(row, value) || 0) });
  }
  return [...sums.values()];
}
