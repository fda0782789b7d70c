/// <reference lib="dom" />
/** From a figure to its drawing: an SVG that needs no style sheet and stays readable without colours. */
import * as Plot from "@observablehq/plot";
import { ACCENT, INK, inTheme, SYMBOL_PATHS, SYMBOLS } from "./colours.ts";
import { drawBars } from "./drawings/bars.ts";
import { drawBoxes } from "./drawings/boxes.ts";
import { dashesAt, type Drawing, Inks, type Key } from "./drawings/canvas.ts";
import { drawDots } from "./drawings/dots.ts";
import { drawHistogram } from "./drawings/histogram.ts";
import { drawLines } from "./drawings/lines.ts";
import { drawMap } from "./drawings/map.ts";
import { drawMatrix } from "./drawings/matrix.ts";
import { drawRadar } from "./drawings/radar.ts";
import { drawScatter } from "./drawings/scatter.ts";
import type { Figure, Row, Surface } from "./figure.ts";
import { FONT_FAMILY, FONT_SIZE, labelText, textWidth } from "./figure_text.ts";
import type { Kinds } from "./kinds.ts";

type Draw<O> = (rows: readonly Row[], options: O, surface: Surface) => Drawing;

const DRAWINGS: { readonly [K in keyof Kinds]: Draw<Kinds[K]> } = {
  bars: drawBars,
  histogram: drawHistogram,
  matrix: drawMatrix,
  scatter: drawScatter,
  map: drawMap,
  lines: drawLines,
  dots: drawDots,
  radar: drawRadar,
  boxes: drawBoxes,
};

const SVG = "http://www.w3.org/2000/svg";
const KEY_LINE = 18;

/**
 * Draws a figure, its rows filtered or not. The SVG has no title (that is for what is around it), an
 * `aria-label` with title and sentence, and neither `style` elements nor attributes, so that a strict
 * content security policy and programs without CSS show the same. In the theme "both" colours are
 * `light-dark()`, which follows the `color-scheme` of the page.
 *
 * @throws RangeError for a kind that there is no drawing of
 */
export function drawFigure(figure: Figure, surface: Surface): SVGElement {
  if (!Object.hasOwn(DRAWINGS, figure.kind)) {
    throw new RangeError(`no drawing of kind ${figure.kind}`);
  }
  const { plot, key } = drawing(figure.kind as keyof Kinds, figure, surface);
  const drawn = Plot.plot({
    ...plot,
    ...titledAxes(plot),
    width: surface.width,
    document: surface.document,
    figure: false,
  }) as unknown as SVGElement;
  settle(drawn, figure, surface);
  return key ? withKey(drawn, key, surface) : drawn;
}

/** Axes whose titles are short, and without arrows, which few fonts have. */
function titledAxes({ x, y }: Plot.PlotOptions): Plot.PlotOptions {
  const titled = (axis?: Plot.ScaleOptions) => ({
    labelArrow: "none" as const,
    ...axis,
    ...typeof axis?.label === "string" && { label: labelText(axis.label, 60) },
  });
  return { x: titled(x), y: titled(y) };
}

function drawing<K extends keyof Kinds>(kind: K, figure: Figure, surface: Surface): Drawing {
  // figureOf made the options of this kind
  const options = figure.options as unknown as Kinds[K];
  return DRAWINGS[kind](figure.rows, options, surface);
}

/** Attributes in the place of Plot's style sheet. */
function settle(drawn: SVGElement, { title, see }: Figure, { theme, width }: Surface): void {
  drawn.querySelector("style")?.remove();
  drawn.removeAttribute("class");
  drawn.setAttribute("xmlns", SVG);
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", `${labelText(title, 200)}: ${labelText(see, 400)}`);
  drawn.setAttribute("font-family", FONT_FAMILY);
  drawn.setAttribute("font-size", String(FONT_SIZE));
  drawn.setAttribute("color", inTheme(INK, theme));
  drawn.setAttribute("width", String(width));
  shorten(drawn);
}

/** Attributes that say where something is. */
const PLACES = ["cx", "cy", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "d", "transform"];

/** Hundredths of a pixel are enough: pages and files are half as long. */
function shorten(drawn: SVGElement): void {
  for (const element of drawn.querySelectorAll("*")) {
    for (const name of PLACES) {
      const place = element.getAttribute(name);
      if (!place?.includes(".")) continue;
      const short = place.replace(
        /-?\d+\.\d{3,}(?:e-\d+)?/g,
        (long) => String(Number(Number(long).toFixed(2))),
      );
      if (short !== place) element.setAttribute(name, short);
    }
  }
}

/** The drawing below a line (or more) that names its series. */
function withKey(drawn: SVGElement, key: Key, surface: Surface): SVGElement {
  const places = keyPlaces(key.names, surface.width);
  const height = KEY_LINE * (1 + (places.at(-1)?.line ?? 0)) + 4;
  const whole = height + Number(drawn.getAttribute("height"));
  const group = element(surface, "g", { "aria-label": "key" });
  const inks = new Inks(surface.theme);
  key.names.forEach((name, i) => {
    const { x, line } = places[i];
    const y = KEY_LINE * line + KEY_LINE / 2;
    const colour = inks.of(key.tones.get(name) ?? ACCENT);
    group.append(swatch(surface, key, { i, x, y, colour }));
    const attributes = { x: x + 16, y: y + 4, fill: inks.text, "text-anchor": "start" };
    const text = element(surface, "text", attributes);
    text.textContent = labelText(name);
    group.append(text);
  });
  const below = element(surface, "g", { transform: `translate(0,${height})` });
  below.append(...drawn.childNodes);
  drawn.append(group, below);
  drawn.setAttribute("height", String(whole));
  drawn.setAttribute("viewBox", `0 0 ${surface.width} ${whole}`);
  return drawn;
}

function swatch(
  surface: Surface,
  key: Key,
  { i, x, y, colour }: { i: number; x: number; y: number; colour: string },
): SVGElement {
  if (key.dashes) {
    const dashes = { "stroke-dasharray": dashesAt(i), "stroke-width": 2 };
    return element(surface, "path", { d: `M${x},${y}h13`, stroke: colour, ...dashes });
  }
  if (!key.symbols) {
    return element(surface, "rect", { x: x + 2, y: y - 5, width: 10, height: 10, fill: colour });
  }
  const d = SYMBOL_PATHS[SYMBOLS[i % SYMBOLS.length]];
  const transform = `translate(${x + 7},${y})`;
  return element(surface, "path", { d, transform, fill: colour });
}

function keyPlaces(names: readonly string[], width: number): { x: number; line: number }[] {
  let [x, line] = [0, 0];
  return names.map((name) => {
    const needed = 16 + textWidth(labelText(name)) + 14;
    if (x > 0 && x + needed > width) [x, line] = [0, line + 1];
    const place = { x, line };
    x += needed;
    return place;
  });
}

function element(
  { document }: Surface,
  name: "g" | "path" | "rect" | "text",
  attributes: Readonly<Record<string, string | number>>,
): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
