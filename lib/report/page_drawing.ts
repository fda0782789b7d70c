/// <reference lib="dom" />
import { drawFigure } from "../figures/draw.ts";
import type { Figure, Surface } from "../figures/figure.ts";

/** Anchor of a figure's title on the page. */
export function titleId({ id }: Pick<Figure, "id">): string {
  return `${id}-title`;
}

/**
 * Draws a figure for the page. To a screen reader it is one image that has the name of its title there;
 * its parts are named for scripts only.
 */
export function pageDrawing(figure: Figure, surface: Surface): SVGElement {
  const drawn = drawFigure(figure, surface);
  for (const part of drawn.querySelectorAll("[aria-label]")) {
    part.setAttribute("data-part", part.getAttribute("aria-label") ?? "");
    part.removeAttribute("aria-label");
  }
  drawn.removeAttribute("aria-label");
  drawn.setAttribute("aria-labelledby", titleId(figure));
  return drawn;
}
