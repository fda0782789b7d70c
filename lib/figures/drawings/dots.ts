/** Dots with intervals: values of series, category by category. */
import * as Plot from "@observablehq/plot";
import { ACCENT, SYMBOLS } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import type { DotsOptions } from "../kinds.ts";
import { type Drawing, Inks, nameIn, namesBeside, seriesTones, tipsOf } from "./canvas.ts";

/** Pixels between the series of a category. */
const STEP = 5;

/** Draws dots. */
export function drawDots(rows: readonly Row[], options: DotsOptions, surface: Surface): Drawing {
  const { category, categories, value, low, high, series, seriesNames } = options;
  const inks = new Inks(surface.theme);
  const tones = seriesTones(seriesNames);
  const { margin, axis } = namesBeside(categories, surface.width);
  const y = (row: Row) => nameIn(row, category);
  const own = Map.groupBy(rows, (row) => nameIn(row, series));
  const marks = seriesNames.map((name, i) => {
    const same = own.get(name) ?? [];
    const at = { y, dy: (i - (seriesNames.length - 1) / 2) * STEP };
    const colour = inks.of(tones.get(name) ?? ACCENT);
    const interval = low === undefined || high === undefined
      ? []
      : Plot.ruleY(same, { ...at, x1: low, x2: high, stroke: colour, strokeWidth: 1.4 });
    const symbol = SYMBOLS[i % SYMBOLS.length];
    return [interval, Plot.dot(same, { ...at, x: value, fill: colour, r: 3, symbol })];
  });
  const line = Math.max(18, STEP * (seriesNames.length + 1));
  return {
    key: seriesNames.length > 1 ? { names: seriesNames, tones, symbols: true } : undefined,
    plot: {
      marginLeft: margin,
      marginBottom: 38,
      marginRight: 20,
      height: 60 + line * categories.length,
      color: { type: "identity" },
      symbol: { type: "identity" },
      x: {
        label: options.valueTitle,
        grid: true,
        ...options.domain ? { domain: [...options.domain] } : { nice: true },
      },
      y: { ...axis, grid: true },
      marks: [
        options.baseline === undefined ? [] : Plot.ruleX([options.baseline], {
          stroke: inks.muted,
        }),
        marks,
        tipsOf(rows, { x: value, y }, { surface, inks }),
      ],
    },
  };
}
