import { parseHTML } from "linkedom";
import type { Figure } from "../figures/figure.ts";
import { pageDrawing } from "./page_drawing.ts";
import type { DrawnFigure } from "./report_page.ts";

/** Width of the drawings that a page begins with, in CSS pixels; it shows them as wide as it is. */
const WIDTH = 860;

/** Figures with the drawings that a page has before, or without, its script. */
export function drawFigures(figures: readonly Figure[]): DrawnFigure[] {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const surface = { document, width: WIDTH, theme: "both", tips: false } as const;
  return figures.map((figure) => ({ figure, svg: pageDrawing(figure, surface).outerHTML }));
}
