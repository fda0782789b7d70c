/** Histograms: rows counted in steps of a value. */
import * as Plot from "@observablehq/plot";
import { ACCENT } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import { labelText } from "../figure_text.ts";
import type { HistogramOptions } from "../kinds.ts";
import { type Drawing, Inks, nameIn, seriesTones } from "./canvas.ts";

/** Draws a histogram. */
export function drawHistogram(
  rows: readonly Row[],
  { value, valueTitle, countTitle, edges, series, seriesNames = [] }: HistogramOptions,
  surface: Surface,
): Drawing {
  const inks = new Inks(surface.theme);
  const tones = seriesTones(seriesNames);
  const marks: Plot.RectYOptions & Plot.BinXInputs<Plot.RectYOptions> = {
    x: { value, thresholds: [...edges], domain: [edges[0], edges.at(-1)!] },
    z: series,
    fill: (row: Row) => inks.of(tones.get(nameIn(row, series)) ?? ACCENT),
    order: series === undefined ? undefined : [...seriesNames],
    insetLeft: 0.5,
    insetRight: 0.5,
    ...surface.tips && { tip: { fill: inks.paper }, title: (row: Row) => row },
  };
  const counted: Plot.BinOutputs = {
    y: "count",
    ...surface.tips && { title: (rows: Row[]) => inStep(rows, series) },
  };
  return {
    key: seriesNames.length > 0 ? { names: seriesNames, tones } : undefined,
    plot: {
      height: 280,
      marginTop: 24,
      marginBottom: 38,
      color: { type: "identity" },
      x: { label: valueTitle, domain: [edges[0], edges.at(-1)!] },
      y: { label: countTitle, grid: true },
      marks: [
        Plot.rectY(rows, Plot.binX(counted, marks)),
        Plot.ruleY([0], { stroke: inks.rule }),
      ],
    },
  };
}

/** What a step says under the pointer. */
function inStep(rows: readonly Row[], series: string | undefined): string {
  const name = rows.length > 0 ? labelText(nameIn(rows[0], series)) : "";
  return `${name === "" ? "" : `${name}: `}${rows.length.toLocaleString("en")}`;
}
