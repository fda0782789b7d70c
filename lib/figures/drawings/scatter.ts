/** Scatters, with a line of their trend. */
import * as Plot from "@observablehq/plot";
import { ACCENT, SYMBOLS } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import { labelText } from "../figure_text.ts";
import type { ScatterOptions } from "../kinds.ts";
import {
  type Drawing,
  Inks,
  nameIn,
  numberIn,
  type Panels,
  panelsOf,
  seriesTones,
  tipsOf,
} from "./canvas.ts";

/** Draws a scatter. */
export function drawScatter(
  rows: readonly Row[],
  options: ScatterOptions,
  surface: Surface,
): Drawing {
  const { x, y, series, seriesNames = [], logarithmic } = options;
  const inks = new Inks(surface.theme);
  const tones = seriesTones(seriesNames);
  const layout = panelsOf(options.panels ?? [""], surface.width, 260);
  const facet = options.panel === undefined ? {} : layout.channels(options.panel);
  const own = Map.groupBy(rows, (row) => nameIn(row, series));
  // a mark per series: its colour and shape are then said once
  const dots = [...own].map(([name, same]) =>
    Plot.dot(same, {
      ...facet,
      x,
      y,
      r: 2.5,
      fill: inks.of(tones.get(name) ?? ACCENT),
      fillOpacity: 0.75,
      symbol: SYMBOLS[Math.max(0, seriesNames.indexOf(name)) % SYMBOLS.length],
    })
  );
  const axis = (title: string, log = false) => ({
    label: title,
    grid: true,
    ...log ? { type: "log" as const, ticks: 5 } : { nice: true },
  });
  return {
    key: seriesNames.length > 0 ? { names: seriesNames, tones, symbols: true } : undefined,
    plot: {
      ...layout.scales,
      height: 60 + layout.down * (layout.across === 1 ? 320 : 240),
      marginTop: 42,
      marginBottom: 38,
      marginLeft: 48,
      color: { type: "identity" },
      symbol: { type: "identity" },
      x: {
        ...axis(options.xTitle, logarithmic),
        ...options.xDomain && { domain: [...options.xDomain] },
      },
      y: { ...axis(options.yTitle), ...options.yDomain && { domain: [...options.yDomain] } },
      marks: [
        options.panels ? layout.titles : [],
        dots,
        trends(rows, options, { layout, inks }),
        tipsOf(rows, { ...facet, x, y }, { surface, inks }),
      ],
    },
  };
}

function trends(
  rows: readonly Row[],
  options: ScatterOptions,
  { layout, inks }: { layout: Panels; inks: Inks },
): Plot.Markish {
  const { x, panel, panels, trends = [] } = options;
  const shown = trends.filter((trend) => !panels || panels.includes(trend.panel ?? ""));
  const lines = shown.flatMap((trend) => {
    const places = rows.filter((row) => panel === undefined || nameIn(row, panel) === trend.panel)
      .map((row) => numberIn(row, x)).filter(Number.isFinite);
    const at = (place: number) => ({ place, value: trend.intercept + trend.slope * place });
    if (places.length === 0) return [];
    const ends = [Math.min(...places), Math.max(...places)].map(at);
    return [{ panel: trend.panel ?? null, text: trend.text, ends }];
  });
  const facet = panel === undefined ? {} : layout.channels("panel");
  return lines.map(({ panel, text, ends }) => [
    Plot.line(ends.map((end) => ({ ...end, panel })), {
      ...facet,
      x: "place",
      y: "value",
      stroke: inks.text,
      strokeWidth: 1.5,
    }),
    Plot.text([{ panel }], {
      ...facet,
      text: () => labelText(text, 80),
      frameAnchor: "top-right",
      dy: -16,
      fill: inks.muted,
    }),
  ]);
}
