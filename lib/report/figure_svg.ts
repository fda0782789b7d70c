/// <reference lib="dom" />
/** Figures as SVG files, drawn without a page. */
import { parseHTML } from "linkedom";
import { INK, inTheme, MUTED, PAPER } from "../figures/colours.ts";
import { drawFigure } from "../figures/draw.ts";
import type { Figure, Surface } from "../figures/figure.ts";
import { FONT_FAMILY, labelText, textWidth } from "../figures/figure_text.ts";

/** Width of drawings for which no page gives one, in CSS pixels. */
const WIDTH = 760;

/** How a figure is drawn. */
export interface SvgOptions {
  readonly width?: number;
  readonly theme?: Surface["theme"];
}

/** A figure that stands for itself. */
export interface FigureDocument {
  /** A whole SVG file. */
  readonly svg: string;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
}

const MARGIN = 16;
const TITLE = { size: 16, line: 26 };
const SENTENCE = { size: 12, line: 17 };

/** A figure as a file: on paper, with its title and what to see above it. */
export function figureDocument(
  figure: Figure,
  { width = WIDTH, theme = "light" }: SvgOptions = {},
): FigureDocument {
  const document = blankDocument();
  const inner = width - 2 * MARGIN;
  const drawn = drawFigure(figure, { document, width: inner, theme, tips: false });
  const element = (name: string, attributes: Record<string, string | number>, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
    if (text !== "") made.textContent = text;
    return made;
  };
  const sentences = wrapped(labelText(figure.see, 400), inner, SENTENCE.size);
  const titles = wrapped(labelText(figure.title, 120), inner, 1.1 * TITLE.size);
  const above = MARGIN + TITLE.line * titles.length;
  const top = above + SENTENCE.line * sentences.length + 8;
  const height = Math.ceil(top + Number(drawn.getAttribute("height")) + MARGIN);
  const whole = element("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "font-family": FONT_FAMILY,
  });
  whole.append(
    element("title", {}, labelText(figure.title, 200)),
    element("desc", {}, labelText(figure.see, 400)),
    element("rect", { width, height, fill: inTheme(PAPER, theme) }),
    ...titles.map((title, i) =>
      element("text", {
        x: MARGIN,
        y: MARGIN + TITLE.line * i + TITLE.size,
        "font-size": TITLE.size,
        "font-weight": 600,
        fill: inTheme(INK, theme),
      }, title)
    ),
    ...sentences.map((sentence, i) =>
      element("text", {
        x: MARGIN,
        y: above + SENTENCE.line * i + SENTENCE.size,
        "font-size": SENTENCE.size,
        fill: inTheme(MUTED, theme),
      }, sentence)
    ),
  );
  const place = element("g", {
    transform: `translate(${MARGIN},${top})`,
    ...Object.fromEntries(
      ["color", "fill", "font-size", "text-anchor"].map((name) => [
        name,
        drawn.getAttribute(name) ?? "",
      ]),
    ),
  });
  place.append(...drawn.childNodes);
  whole.append(place);
  return { svg: whole.outerHTML, width, height };
}

/** A sentence as lines of a width. */
function wrapped(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && textWidth(longer, 0.9 * size) > width) lines.push(word);
    else lines[Math.max(0, lines.length - 1)] = longer;
  }
  return lines;
}

function blankDocument(): Document {
  // linkedom has all of the DOM that drawings use, but types of its own
  return parseHTML("<html><body></body></html>").document as unknown as Document;
}
