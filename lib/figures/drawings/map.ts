/// <reference lib="dom" />
/** Maps: places of thousands of rows, those of a series before a background of the others. */
import * as Plot from "@observablehq/plot";
import { BEHIND, SYMBOLS } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import { labelText } from "../figure_text.ts";
import type { MapOptions } from "../kinds.ts";
import { type Drawing, Inks, nameIn, numberIn, seriesTones, tipsOf } from "./canvas.ts";

/** Series with at least so many rows have their name among them. */
const NAMED = 3;

/** Draws a map. */
export function drawMap(rows: readonly Row[], options: MapOptions, surface: Surface): Drawing {
  const { x, y, series, seriesNames } = options;
  const inks = new Inks(surface.theme);
  const tones = seriesTones(seriesNames);
  const known = new Set(seriesNames);
  const front = rows.filter((row) => known.has(nameIn(row, series)));
  const behind = rows.filter((row) => !known.has(nameIn(row, series)));
  const domain = (column: string) => extent(rows.map((row) => numberIn(row, column)));
  const own = Map.groupBy(front, (row) => nameIn(row, series));
  const named = [...own].filter(([, same]) => same.length >= NAMED)
    .map(([name, same]) => ({ name, row: inMidst(same, options) }));
  return {
    key: { names: seriesNames.filter((name) => own.has(name)), tones, symbols: true },
    plot: {
      height: Math.min(560, 0.8 * surface.width),
      margin: 14,
      color: { type: "identity" },
      symbol: { type: "identity" },
      x: { axis: null, domain: domain(x) },
      y: { axis: null, domain: domain(y) },
      marks: [
        background(behind, options, inks),
        [...own].map(([name, same]) =>
          Plot.dot(same, {
            x,
            y,
            r: 3.2,
            symbol: SYMBOLS[seriesNames.indexOf(name) % SYMBOLS.length],
            fill: inks.of(tones.get(name) ?? BEHIND),
            stroke: inks.paper,
            strokeWidth: 0.5,
          })
        ),
        Plot.text(named, {
          x: ({ row }: Named) => numberIn(row, x),
          y: ({ row }: Named) => numberIn(row, y),
          dy: -9,
          text: ({ name }: Named) => labelText(name),
          fill: inks.text,
          stroke: inks.paper,
          strokeWidth: 3,
          fontWeight: 600,
        }),
        tipsOf(rows, { x, y }, { surface, inks }),
      ],
    },
  };
}

/** One path: thousands of marks would make a page of megabytes. */
function background(rows: readonly Row[], { x, y }: MapOptions, inks: Inks): Plot.RenderFunction {
  return (_index, scales, _values, _dimensions, { document }) => {
    const short = (pixels: number) => String(Number(pixels.toFixed(1)));
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const at = (row: Row) =>
      `M${short(scales.x?.(numberIn(row, x)))},${short(scales.y?.(numberIn(row, y)))}h0`;
    path.setAttribute("d", rows.map(at).join(""));
    path.setAttribute("stroke", inks.of(BEHIND));
    path.setAttribute("stroke-width", "2.2");
    path.setAttribute("stroke-linecap", "round");
    path.setAttribute("stroke-opacity", "0.45");
    return path;
  };
}

function extent(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

/** A series, and the row that its name stands at. */
interface Named {
  readonly name: string;
  readonly row: Row;
}

/** The row whose neighbours of the same series are nearest: where most of them lie. */
function inMidst(rows: readonly Row[], { x, y }: MapOptions): Row {
  const distance = (a: Row, b: Row) =>
    Math.hypot(numberIn(a, x) - numberIn(b, x), numberIn(a, y) - numberIn(b, y));
  const reach = rows.map((row) =>
    rows.map((other) => distance(row, other)).sort((a, b) => a - b).slice(0, NAMED).at(-1) ?? 0
  );
  return rows[reach.indexOf(Math.min(...reach))];
}
