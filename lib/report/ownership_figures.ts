import { byTotal, distinctFeatures, languageId } from "./belonging.ts";
import { type Html, markup } from "./html.ts";
import { countText } from "./numbers.ts";
import type { ReportData } from "./report_data.ts";

/** Length of a bar or depth of a shade as a style property, in percent of the largest. */
function portion(count: number, largest: number): string {
  return `--v:${(100 * count / Math.max(1, largest)).toFixed(1)}%`;
}

/** Features per language and layer: a table whose cells are shaded by their count. */
export function layerFigure(data: ReportData): Html {
  const order = byTotal(data);
  const counts = data.features.map((features) =>
    data.layers.map((layer) => features.filter((feature) => feature.layer === layer).length)
  );
  const perLayer = data.layers.map((_, at) => counts.reduce((sum, row) => sum + row[at], 0));
  const headings = data.layers.map((layer) => markup`<th scope="col">${layer}</th>`);
  const sums = perLayer.map((sum) => markup`<td>${countText(sum)}</td>`);
  const total = countText(perLayer.reduce((a, b) => a + b, 0));
  return markup`<figure>
<figcaption><h3>Features per language and layer</h3>
<p>Darker is more; languages with most features first.</p></figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="Features per language and layer">
<table class="layers">
<thead><tr><td></td><th scope="colgroup" colspan="${data.layers.length}">Layer</th><td></td></tr>
<tr><th scope="col">Language</th>${headings}<th scope="col" class="total">Total</th></tr></thead>
<tbody>${order.map((g) => layerRow(data, counts, g))}</tbody>
<tfoot><tr><th scope="row">All</th>${sums}<td class="total">${total}</td></tr></tfoot>
</table></div>
</figure>`;
}

function layerRow(data: ReportData, counts: readonly number[][], g: number): Html {
  const { code, name } = data.languages[g];
  const darkest = Math.max(...counts.flat());
  const cells = counts[g].map((count) =>
    markup`<td class="shade" style="${portion(count, darkest)}">${count === 0 ? "·" : count}</td>`
  );
  const total = data.features[g].length;
  const bar = portion(total, Math.max(...data.features.map((features) => features.length)));
  return markup`<tr><th scope="row"><a href="#${languageId(code)}">${name}</a></th>${cells}
<td class="total"><span class="bar" style="${bar}"></span>${countText(total)}</td></tr>
`;
}

/** Candidates by the number of languages they belong to; the tail of zeros is one row. */
export function shareFigure(data: ReportData): Html {
  const counts = data.shareHistogram;
  const kept = new Set(distinctFeatures(data).map(({ owners }) => owners));
  const most = Math.max(...counts);
  const last = counts.findLastIndex((count) => count > 0) + 1;
  const rows = counts.slice(0, last).map((count, at) =>
    markup`<tr class="${kept.has(at + 1) ? "kept" : "left"}"><th scope="row">${at + 1}</th>
<td><span class="bar" style="${portion(count, most)}"></span>${countText(count)}</td></tr>
`
  );
  const none = last + 1 < counts.length ? `${last + 1}–${counts.length}` : `${counts.length}`;
  const tail = markup`<tr class="left"><th scope="row">${none}</th><td>0</td></tr>`;
  return markup`<figure>
<figcaption><h3>Candidates by number of languages</h3>
<p>How many languages each of the ${countText(data.candidates.length)} candidates belongs to:
<span class="key feature-key">kept</span> as features, <span class="key">not kept</span>.</p>
</figcaption>
<table class="shares">
<thead><tr><th scope="col">Languages</th><th scope="col">Candidates</th></tr></thead>
<tbody>${rows}${last < counts.length ? tail : ""}</tbody></table>
</figure>`;
}
