/// <reference lib="dom" />
/** Matrices. Cells of one colour are one path: hundreds by hundreds of them stay small. */
import * as Plot from "@observablehq/plot";
import { diverging, inkOn, sequential, type Tone } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import { labelText, numberText } from "../figure_text.ts";
import type { MatrixOptions } from "../kinds.ts";
import { type Drawing, Inks, nameIn, namesBeside, namesUnder, numberIn, tipsOf } from "./canvas.ts";

/** Steps of colour: odd, so that a diverging scale has a neutral one. */
const LEVELS = 33;
/** Sizes of cells in pixels: none is larger, and none with a value in it smaller. */
const LARGEST = 44;
const LABELLED = 24;
/** Names can be read from this size of cells on. */
const NAMED = 9;

/** A cell of the drawing: rows of a symmetric matrix have two. */
interface MatrixCell {
  readonly x: string;
  readonly y: string;
  readonly value: number;
}

/** Draws a matrix. */
export function drawMatrix(
  rows: readonly Row[],
  options: MatrixOptions,
  surface: Surface,
): Drawing {
  const inks = new Inks(surface.theme);
  const { columns, rows: lines } = options;
  const beside = namesBeside(lines, surface.width);
  const room = surface.width - beside.margin - 24;
  const size = Math.max(1, Math.min(LARGEST, room / Math.max(1, columns.length)));
  const named = size >= NAMED;
  const marginLeft = (named ? beside.margin : 12) + 16;
  const above = namesUnder(columns, size * columns.length);
  const marginTop = (named ? above.margin : 8) + 18;
  const marginRight = Math.max(8, surface.width - marginLeft - size * columns.length);
  const cells = cellsOf(rows, options);
  return {
    plot: {
      marginLeft,
      marginTop,
      marginRight,
      marginBottom: 46,
      height: marginTop + 46 + size * lines.length,
      color: { type: "identity" },
      x: {
        ...above.axis,
        axis: named ? "top" : null,
        label: labelText(options.xTitle),
        labelAnchor: "left",
        padding: 0,
      },
      y: {
        ...beside.axis,
        axis: named ? "left" : null,
        label: labelText(options.yTitle),
        labelAnchor: "center",
        padding: 0,
      },
      marks: [
        colouredCells(cells, options, inks),
        size >= LABELLED && options.labels ? values(cells, options, inks) : [],
        partings(options, inks),
        options.framed ? frames(options, inks) : [],
        scaleBelow(options, inks),
        tipsOf(symmetricRows(rows, options), namesOf(options), { surface, inks }),
      ],
    },
  };
}

function symmetricRows(rows: readonly Row[], { x, y, symmetric }: MatrixOptions): Row[] {
  if (!symmetric) return [...rows];
  return rows.flatMap((row) =>
    row[x] === row[y] ? [row] : [row, { ...row, [x]: row[y], [y]: row[x] }]
  );
}

function namesOf({ x, y }: MatrixOptions) {
  return { x: (row: Row) => nameIn(row, x), y: (row: Row) => nameIn(row, y) };
}

function cellsOf(rows: readonly Row[], options: MatrixOptions): MatrixCell[] {
  const [columns, lines] = [new Set(options.columns), new Set(options.rows)];
  return symmetricRows(rows, options)
    .map((row) => ({
      x: nameIn(row, options.x),
      y: nameIn(row, options.y),
      value: numberIn(row, options.value),
    }))
    .filter(({ x, y, value }) => columns.has(x) && lines.has(y) && !Number.isNaN(value));
}

function shareOf(value: number, { domain: [low, high] }: MatrixOptions): number {
  return high === low ? 0 : Math.min(1, Math.max(0, (value - low) / (high - low)));
}

function levelOf(value: number, options: MatrixOptions): number {
  return Math.round((LEVELS - 1) * shareOf(value, options));
}

function toneAt(level: number, { scale }: MatrixOptions): Tone {
  return (scale === "diverging" ? diverging : sequential)(level / (LEVELS - 1));
}

function colouredCells(
  cells: readonly MatrixCell[],
  options: MatrixOptions,
  inks: Inks,
): Plot.RenderFunction {
  return (_index, scales, _values, _dimensions, { document }) => {
    const group = element(document, "g", {
      "aria-label": "cells",
      "shape-rendering": "crispEdges",
    });
    const { x, y, width, height } = placesOf(scales);
    for (const [level, same] of Map.groupBy(cells, ({ value }) => levelOf(value, options))) {
      const path = same.map((cell) =>
        `M${short(x(cell.x))},${short(y(cell.y))}h${short(width)}v${short(height)}h${
          short(-width)
        }z`
      );
      const fill = inks.of(toneAt(level, options));
      group.append(element(document, "path", { fill, d: path.join("") }));
    }
    return group;
  };
}

function placesOf(scales: Plot.ScaleFunctions) {
  const x = (name: string) => Number(scales.x?.(name) ?? 0);
  const y = (name: string) => Number(scales.y?.(name) ?? 0);
  const { x: across, y: down } = scales.scales as {
    x: { bandwidth: number };
    y: { bandwidth: number };
  };
  return { x, y, width: across.bandwidth, height: down.bandwidth };
}

function short(pixels: number): string {
  return String(Number(pixels.toFixed(1)));
}

function values(cells: readonly MatrixCell[], options: MatrixOptions, inks: Inks): Plot.Markish {
  return Plot.text(cells, {
    x: "x",
    y: "y",
    text: ({ value }: MatrixCell) => numberText(value, options.labels ?? "count"),
    fill: ({ value }: MatrixCell) => inks.of(inkOn(toneAt(levelOf(value, options), options))),
    fontSize: 10,
  });
}

function partings({ parted, columns, rows }: MatrixOptions, inks: Inks): Plot.RenderFunction {
  return (_index, scales, _values, { marginLeft, marginTop }, { document }) => {
    const { x, y, width, height } = placesOf(scales);
    const right = short(marginLeft + width * columns.length);
    const bottom = short(marginTop + height * rows.length);
    const lines = (parted ?? []).map((name) =>
      `M${marginLeft},${short(y(name) + height)}H${right}` +
      `M${short(x(name) + width)},${marginTop}V${bottom}`
    );
    return element(document, "path", {
      d: lines.join(""),
      stroke: inks.paper,
      "stroke-width": "2",
    });
  };
}

function frames({ columns, rows }: MatrixOptions, inks: Inks): Plot.Markish {
  const both = columns.filter((name) => rows.includes(name));
  return Plot.cell(both, {
    x: (name: string) => name,
    y: (name: string) => name,
    fill: "none",
    stroke: inks.muted,
    strokeWidth: 1.5,
    inset: 1,
  });
}

/** The scale of colours, under the matrix. */
function scaleBelow(options: MatrixOptions, inks: Inks): Plot.RenderFunction {
  const [width, height] = [132, 8];
  return (_index, _scales, _values, dimensions, { document }) => {
    const left = dimensions.marginLeft;
    const top = dimensions.height - 32;
    const group = element(document, "g", { "aria-label": "scale of colours" });
    for (let level = 0; level < LEVELS; level++) {
      group.append(element(document, "rect", {
        x: short(left + width * level / LEVELS),
        y: short(top),
        width: short(width / LEVELS + 0.4),
        height: String(height),
        fill: inks.of(toneAt(level, options)),
      }));
    }
    const [low, high] = options.domain;
    const format = options.labels ?? (Math.abs(high - low) >= 20 ? "count" : "fixed2");
    const text = (at: number, content: string, anchor: string) => {
      const mark = element(document, "text", {
        x: short(at),
        y: short(top + height + 12),
        "text-anchor": anchor,
        fill: inks.text,
      });
      mark.textContent = content;
      group.append(mark);
    };
    text(left, numberText(low, format), "start");
    text(left + width, numberText(high, format), "end");
    const title = element(document, "text", {
      x: short(left + width + 10),
      y: short(top + height),
      "text-anchor": "start",
      fill: inks.text,
    });
    title.textContent = labelText(options.valueTitle, 60);
    group.append(title);
    return group;
  };
}

function element(
  document: Document,
  name: "g" | "path" | "rect" | "text",
  attributes: Readonly<Record<string, string>>,
): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
