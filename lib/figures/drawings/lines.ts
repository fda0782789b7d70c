/** Lines of series, with bands of their intervals, in panels. */
import * as Plot from "@observablehq/plot";
import { ACCENT } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import type { LinesOptions } from "../kinds.ts";
import {
  dashesAt,
  type Drawing,
  Inks,
  nameIn,
  numberIn,
  panelsOf,
  seriesTones,
  tipsOf,
} from "./canvas.ts";

/** Draws lines. */
export function drawLines(rows: readonly Row[], options: LinesOptions, surface: Surface): Drawing {
  const { x, y, low, high, series, seriesNames, panels, panel } = options;
  const inks = new Inks(surface.theme);
  const tones = seriesTones(seriesNames, options.seriesColours);
  const layout = panelsOf(panels ?? [""], surface.width, 150);
  const facet = panel === undefined ? {} : layout.channels(panel);
  const flat = options.fromZero && rows.every((row) => numberIn(row, y) === 0);
  const domain = options.yDomain ?? (flat ? [0, 1] : undefined);
  const own = Map.groupBy(rows, (row) => nameIn(row, series));
  const marks = seriesNames.map((name, i) => {
    const same = own.get(name) ?? [];
    const stroke = inks.of(tones.get(name) ?? ACCENT);
    const line = { ...facet, x, y, stroke };
    const band = low === undefined || high === undefined
      ? []
      : Plot.areaY(same, { ...facet, x, y1: low, y2: high, fill: stroke, fillOpacity: 0.15 });
    return [
      band,
      Plot.line(same, { ...line, strokeWidth: 1.6, strokeDasharray: dashesAt(i) }),
      options.dots ? Plot.dot(same, { ...line, r: 2, fill: stroke }) : [],
    ];
  });
  return {
    key: { names: seriesNames, tones, dashes: true },
    plot: {
      ...layout.scales,
      height: 60 + layout.down * (panels ? 140 : 260),
      marginTop: 36,
      marginBottom: 38,
      marginLeft: 48,
      color: { type: "identity" },
      // names of ticks at the edges of neighbours would run into each other
      x: { label: options.xTitle, ticks: panels ? 3 : 6, inset: panels ? 10 : 0 },
      y: {
        label: options.yTitle,
        labelAnchor: panels ? "center" : "top",
        grid: true,
        ticks: panels ? 4 : 6,
        zero: options.fromZero,
        ...domain && { domain: [...domain] },
      },
      marks: [
        panels ? layout.titles : [],
        options.baseline === undefined ? [] : Plot.ruleY([options.baseline], {
          stroke: inks.muted,
        }),
        marks,
        tipsOf(rows, { ...facet, x, y }, { surface, inks }),
      ],
    },
  };
}
