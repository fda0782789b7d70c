/// <reference lib="dom" />
/**
 * Letters of an SVG as outlines. Renderers of SVG differ in how they lay out scripts that join, stack and
 * reorder letters (resvg 2.6 puts those of Devanagari on top of each other); outlines are right in all.
 */
import { parseHTML } from "linkedom";
import type { Face, Fonts } from "./figure_fonts.ts";

/** A run of text that one face has all letters of. */
interface Run {
  readonly face: Face;
  text: string;
}

/** Attributes of a text that a path has not. */
const OF_TEXT = ["x", "y", "dx", "dy", "text-anchor", "font-size", "font-weight", "font-family"];
const BOLD = 600;

/**
 * An SVG without text: each is a path in its place. Letters that no face has are the boxes of the first.
 *
 * @param svg one that {@link figureDocument} made
 * @param fonts those that it needs; without any, it loses its text
 */
export function outlined(svg: string, fonts: Fonts): string {
  const { document } = parseHTML(`<html><body>${svg}</body></html>`);
  const whole = document.querySelector("svg");
  for (const text of [...document.querySelectorAll("text")]) {
    text.replaceWith(...outlinesOf(text as unknown as SVGElement, fonts) as never[]);
  }
  return whole?.outerHTML ?? svg;
}

function outlinesOf(text: SVGElement, { regular, bold }: Fonts): SVGElement[] {
  const size = Number.parseFloat(inherited(text, "font-size") ?? "10");
  const isBold = Number(inherited(text, "font-weight") ?? 400) >= BOLD;
  const runs = runsOf(text.textContent ?? "", isBold ? [...bold, ...regular] : regular);
  const { paths, width } = laidOut(runs, size);
  const anchor = inherited(text, "text-anchor");
  const start = anchor === "end" ? -width : anchor === "middle" ? -width / 2 : 0;
  const x = length(text, "x", size) + length(text, "dx", size) + start;
  const y = length(text, "y", size) + length(text, "dy", size);
  const path = text.ownerDocument.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const { name, value } of [...text.attributes]) {
    if (!OF_TEXT.includes(name)) path.setAttribute(name, value);
  }
  path.setAttribute("d", paths.map((place) => place(x, y)).join(""));
  if ((inherited(text, "stroke") ?? "none") === "none") return [path];
  // a stroke around letters is their background
  const letters = path.cloneNode(true) as SVGElement;
  letters.setAttribute("stroke", "none");
  return [path, letters];
}

/** Outlines, to be put in their places, and how wide they are together. */
function laidOut(runs: readonly Run[], size: number) {
  const paths: ((x: number, y: number) => string)[] = [];
  let width = 0;
  for (const { face, text } of runs) {
    const scale = size / face.unitsPerEm;
    const { glyphs, positions } = face.layout(text);
    glyphs.forEach(({ path }, i) => {
      const { xAdvance, xOffset, yOffset } = positions[i];
      const at = width + xOffset * scale;
      const outline = path.scale(scale, -scale);
      paths.push((x, y) => outline.translate(x + at, y - yOffset * scale).toSVG());
      width += xAdvance * scale;
    });
  }
  return { paths, width };
}

/** The first face that has a letter; spaces stay with the words before them. */
function runsOf(text: string, faces: readonly Face[]): Run[] {
  const runs: Run[] = [];
  if (faces.length === 0) return runs;
  for (const { segment } of new Intl.Segmenter("und").segment(text)) {
    const last = runs.at(-1);
    const face = last && /^\s/.test(segment) && has(last.face, segment)
      ? last.face
      : faces.find((face) => has(face, segment)) ?? faces[0];
    if (last?.face === face) last.text += segment;
    else runs.push({ face, text: segment });
  }
  return runs;
}

/** Joiners shape letters and need no glyphs of their own. */
function has(face: Face, characters: string): boolean {
  return [...characters].every((character) =>
    /[\u200c\u200d\ufe0e\ufe0f]/.test(character) ||
    face.hasGlyphForCodePoint(character.codePointAt(0)!)
  );
}

function inherited(element: Element, name: string): string | undefined {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const value = at.getAttribute(name);
    if (value !== null && value !== "") return value;
  }
  return undefined;
}

/** A length in pixels, or in the size of the font. */
function length(element: Element, name: string, size: number): number {
  const value = element.getAttribute(name) ?? "0";
  return Number.parseFloat(value) * (value.endsWith("em") ? size : 1);
}
