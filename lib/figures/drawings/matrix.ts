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
/** Pixels that a name needs: where cells are smaller, every n-th has one. */
const NAME = 12;

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
  const marginLeft = beside.margin + 16;
  const above = namesUnder(columns, size * columns.length);
  const marginTop = above.margin + 18;
  const every = Math.ceil(NAME / size);
  const named = (names: readonly string[]) => names.filter((_, i) => i % every === 0);
  const marginRight = Math.max(8, surface.width - marginLeft - size * columns.length);
  const cells = cellsOf(rows, options);
  return {
    plot: {
      marginLeft,
      marginTop,
      marginRight,
      marginBottom: 54,
      height: marginTop + 54 + size * lines.length,
      color: { type: "identity" },
      x: {
        ...above.axis,
        axis: "top",
        ticks: named(columns),
        label: labelText(options.xTitle),
        labelAnchor: "left",
        padding: 0,
      },
      y: {
        ...beside.axis,
        axis: "left",
        ticks: named(lines),
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

/**
 * A ground in the commonest colour, and lines on it, a path per colour, in units of cells: neighbours of
 * one colour are one line.
 */
function colouredCells(
  cells: readonly MatrixCell[],
  options: MatrixOptions,
  inks: Inks,
): Plot.RenderFunction {
  const { columns, rows } = options;
  const grid = rows.map(() => new Int8Array(columns.length).fill(MISSING));
  const [column, row] = [columns, rows].map((names) => new Map(names.map((name, i) => [name, i])));
  for (const { x, y, value } of cells) grid[row.get(y)!][column.get(x)!] = levelOf(value, options);
  const common = commonest(grid);
  const colour = (level: number) =>
    level === MISSING ? inks.paper : inks.of(toneAt(level, options));
  return (_index, scales, _values, _dimensions, { document }) => {
    const { x, y, width, height } = placesOf(scales);
    const [left, top] = [x(columns[0]), y(rows[0])].map(short);
    const group = element(document, "g", {
      "aria-label": "cells",
      transform: `translate(${left},${top}) scale(${short(width)},${short(height)})`,
      "shape-rendering": "crispEdges",
    });
    const [across, down] = [columns.length, rows.length].map(String);
    group.append(element(document, "path", {
      fill: colour(common),
      d: `M0,0H${across}V${down}H0Z`,
    }));
    for (const [level, lines] of linesByLevel(grid)) {
      if (level === common) continue;
      const d = lines.join("");
      group.append(element(document, "path", { stroke: colour(level), d, "stroke-width": "1" }));
    }
    return group;
  };
}

/** The level of a cell that no row of the figure has. */
const MISSING = -1;

function commonest(grid: readonly Int8Array[]): number {
  const counts = new Map<number, number>();
  for (const line of grid) {
    for (const level of line) counts.set(level, (counts.get(level) ?? 0) + 1);
  }
  return [...counts].reduce((best, one) => one[1] > best[1] ? one : best, [MISSING, 0])[0];
}

/** Lines through the middle of cells of one level. */
function linesByLevel(grid: readonly Int8Array[]): Map<number, string[]> {
  const lines = new Map<number, string[]>();
  grid.forEach((line, y) => {
    for (let first = 0; first < line.length;) {
      let end = first + 1;
      while (end < line.length && line[end] === line[first]) end++;
      const same = lines.get(line[first]) ?? [];
      same.push(`M${first},${y}.5h${end - first}`);
      lines.set(line[first], same);
      first = end;
    }
  });
  return lines;
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
    text: ({ value }: MatrixCell) => labelOf(value, options),
    fill: ({ value }: MatrixCell) => inks.of(inkOn(toneAt(levelOf(value, options), options))),
    fontSize: 10,
  });
}

/** Cells of nothing need no number. */
function labelOf(value: number, { labels = "count" }: MatrixOptions): string {
  return labels === "count" && value === 0 ? "" : numberText(value, labels);
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
    const top = dimensions.height - 26;
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
      x: short(left),
      y: short(top - 5),
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
