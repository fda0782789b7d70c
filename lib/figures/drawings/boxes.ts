/** Box plots of quartiles that are known. */
import * as Plot from "@observablehq/plot";
import { ACCENT } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import type { BoxesOptions } from "../kinds.ts";
import { type Drawing, Inks, nameIn, namesBeside, seriesTones, tipsOf } from "./canvas.ts";

/** Draws boxes: whiskers from `low` to `high`, a box from `q1` to `q3`, a line at the `median`. */
export function drawBoxes(
  rows: readonly Row[],
  { category, categories, valueTitle, logarithmic }: BoxesOptions,
  surface: Surface,
): Drawing {
  const inks = new Inks(surface.theme);
  const tones = seriesTones(categories);
  const { margin, axis } = namesBeside(categories, surface.width);
  const fill = (row: Row) => inks.of(tones.get(nameIn(row, category)) ?? ACCENT);
  const y = (row: Row) => nameIn(row, category);
  return {
    plot: {
      marginLeft: margin,
      marginRight: 20,
      marginBottom: 38,
      height: 60 + 22 * categories.length,
      color: { type: "identity" },
      x: { label: valueTitle, grid: true, ...logarithmic && { type: "log" as const, ticks: 6 } },
      y: { ...axis, padding: 0.25 },
      marks: [
        Plot.ruleY(rows, { y, x1: "low", x2: "high", stroke: inks.muted }),
        Plot.barX(rows, { y, x1: "q1", x2: "q3", fill }),
        Plot.tickX(rows, { y, x: "median", stroke: inks.paper, strokeWidth: 2 }),
        tipsOf(rows, { y, x: "median", maxRadius: Infinity }, { surface, inks }),
      ],
    },
  };
}
