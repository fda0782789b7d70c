import type { Figure } from "../figures/figure.ts";
import { figureTable } from "./figure_table.ts";
import { EMPTY, type Html, markup, trusted } from "./html.ts";
import { titleId } from "./page_drawing.ts";
import type { DrawnFigure } from "./report_page.ts";

/** Rows of a figure's table on a page without scripts. */
const STATIC_ROWS = 40;

/** Files that a reader can save of a figure. */
const FORMATS = [["csv", "CSV"], ["svg", "SVG"], ["png", "PNG"]] as const;

/** A figure with its sentence, its table and, where the page has a script, files to save. */
export function figureBlock({ figure, svg }: DrawnFigure, answers: boolean): Html {
  const { id, title, see } = figure;
  const name = titleId(figure);
  return markup`<figure class="plot" id="${id}" aria-labelledby="${name}">
<figcaption><h3 id="${name}">${title}</h3><p>${see}</p></figcaption>
<div class="drawing">${trusted(svg)}</div>
<p class="nothing" hidden>Nothing in this figure is of what you chose.</p>
${answers ? tools(figure) : EMPTY}<details class="data"><summary>The numbers behind this
figure<span class="unseen">: ${title}</span></summary>
${tableOf(figure)}</details>
</figure>
`;
}

function tools({ title }: Figure): Html {
  const buttons = FORMATS.map(([format, label]) =>
    markup`<button type="button" data-save="${format}">${label}<span class="unseen">
of ${title}</span></button>
`
  );
  return markup`<p class="tools" hidden data-needs-script><span aria-hidden="true">Save</span>
${buttons}</p>`;
}

function tableOf(figure: Figure): Html {
  const { header, rows, left } = figureTable(figure, STATIC_ROWS);
  const heads = header.map((name) => markup`<th scope="col">${name}</th>`);
  const lines = rows.map((cells) =>
    markup`<tr>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>
`
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Data of ${figure.title}">
<table class="numbers"><thead><tr>${heads}</tr></thead>
<tbody>${lines}</tbody></table><p class="left">${left}</p></div>
`;
}
