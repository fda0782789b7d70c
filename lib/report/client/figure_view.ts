/// <reference lib="dom" />
import { drawFigure } from "../../figures/draw.ts";
import type { Figure } from "../../figures/figure.ts";
import { type Choice, chosenPart, hasChosen } from "../figure_choice.ts";
import { figureCsv } from "../figure_csv.ts";
import { figureTable, TABLE_ROWS } from "../figure_table.ts";
import { pageDrawing } from "../page_drawing.ts";
import { element, elements } from "./elements.ts";
import { pngOf, save, svgText } from "./save.ts";

/** Width of a drawing that is saved, in CSS pixels. */
const SAVED_WIDTH = 900;
/** A narrower change is a scroll bar's. */
const NEW_WIDTH = 24;
/** How far below the window a figure is drawn already, in pixels. */
const AHEAD = "800px";

/** A figure of the page: drawn when it comes near, and again when something else is chosen. */
export class FigureView {
  readonly #drawing: HTMLElement;
  readonly #note: HTMLElement;
  #choice: Choice = { language: "", layer: "" };
  #near = false;
  /** What is drawn, and how wide. */
  #drawn?: { readonly part: Figure; readonly width: number };

  constructor(readonly block: HTMLElement, readonly figure: Figure) {
    this.#drawing = element(".drawing", block);
    this.#note = element(".nothing", block);
    for (const button of elements<HTMLButtonElement>("[data-save]", block)) {
      button.addEventListener("click", () => this.#save(button.dataset.save ?? ""));
    }
    const details = element<HTMLDetailsElement>("details", block);
    details.addEventListener("toggle", () => this.#fillTable());
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.#near = isIntersecting;
      this.#draw();
    }, { rootMargin: AHEAD }).observe(block);
    new ResizeObserver(() => this.#draw()).observe(this.#drawing);
  }

  /** Draws the part of the figure that is chosen. */
  choose(choice: Choice): void {
    this.#choice = choice;
    const anything = this.figure.rows.length === 0 || hasChosen(this.figure, choice);
    this.#drawing.hidden = !anything;
    this.#note.hidden = anything;
    this.#draw();
    this.#fillTable();
  }

  get #part(): Figure {
    return chosenPart(this.figure, this.#choice);
  }

  #draw(): void {
    const width = this.#drawing.clientWidth;
    if (!this.#near || width === 0) return;
    const part = this.#part;
    const before = this.#drawn;
    const same = before && before.part.rows.length === part.rows.length &&
      before.part.rows.every((row, i) => row === part.rows[i]);
    if (same && Math.abs(before.width - width) < NEW_WIDTH) return;
    this.#drawn = { part, width };
    const surface = { document, width, theme: "both", tips: true } as const;
    this.#drawing.replaceChildren(pageDrawing(part, surface));
  }

  #fillTable(): void {
    const details = element<HTMLDetailsElement>("details", this.block);
    if (!details.open) return;
    const { header, rows, left } = figureTable(this.#part, TABLE_ROWS);
    element("thead", details).replaceChildren(line(header, "th"));
    element("tbody", details).replaceChildren(...rows.map((cells) => line(cells, "td")));
    element(".left", details).textContent = left && `${left} The CSV has all of them.`;
  }

  async #save(format: string): Promise<void> {
    const part = this.#part;
    const name = `${this.figure.id}.${format}`;
    if (format === "csv") return save(name, new Blob([figureCsv(part)], { type: "text/csv" }));
    const svg = drawFigure(part, { document, width: SAVED_WIDTH, theme: "light", tips: false });
    if (format === "png") return save(name, await pngOf(svg));
    save(name, new Blob([svgText(svg)], { type: "image/svg+xml" }));
  }
}

function line(texts: readonly string[], kind: "th" | "td"): HTMLTableRowElement {
  const row = document.createElement("tr");
  row.replaceChildren(...texts.map((text) => {
    const cell = document.createElement(kind);
    if (kind === "th") cell.setAttribute("scope", "col");
    cell.textContent = text;
    return cell;
  }));
  return row;
}
