import { type Html, html } from "./html.ts";
import { countText } from "./numbers.ts";
import type { ReportData } from "./report_data.ts";
import { byTotal, languageId } from "./languages.ts";

/** Width of a bar or depth of a shade as a style property; 0 to 100. */
function share(count: number, largest: number): string {
  return largest === 0 ? "0" : (100 * count / largest).toFixed(1);
}

/** Counts of features, a row per language of `order`, a column per layer. */
function perLayer(data: ReportData, order: readonly number[]): number[][] {
  return order.map((g) =>
    data.layers.map((layer) => data.features[g].filter((f) => f.layer === layer).length)
  );
}

/** Features per language and layer: a table whose cells are shaded by their count. */
export function layerFigure(data: ReportData): Html {
  const order = byTotal(data);
  const counts = perLayer(data, order);
  const darkest = Math.max(...counts.flat());
  const most = Math.max(...data.features.map((list) => list.length));
  const rows = order.map((g, row) => {
    const { code, name } = data.languages[g];
    const cells = counts[row].map((count) =>
      html`<td class="shade" style="--v:${share(count, darkest)}%">${
        count === 0 ? "·" : count
      }</td>`
    );
    const total = data.features[g].length;
    return html`
      <tr><th scope="row"><a href="#${languageId(code)}">${name}</a></th>${cells}
      <td class="total"><span class="bar" style="--v:${share(
        total,
        most,
      )}%"></span>${total}</td></tr>
    `;
  });
  const sums = data.layers.map((_, at) => counts.reduce((sum, row) => sum + row[at], 0));
  return html`
    <figure>
      <figcaption>
        <h3>Features per language and layer</h3>
        <p>Darker is more; languages with most features first.</p>
      </figcaption>
      <div class="scroll" tabindex="0" role="region" aria-label="Features per language and layer">
        <table class="layers">
          <thead>
            <tr><th scope="col">Language</th>${data.layers.map((layer) =>
              html`<th scope="col"><span class="long">Layer </span>${layer}</th>`
            )}<th scope="col" class="total">Total</th></tr>
          </thead>
          <tbody>${rows}</tbody>
          <tfoot>
            <tr><th scope="row">All</th>${sums.map((sum) => html`<td>${countText(sum)}</td>`)}<td
    class="total">${countText(sums.reduce((a, b) => a + b, 0))}</td></tr>
          </tfoot>
        </table>
      </div>
    </figure>
  `;
}

/** Candidates by the number of languages they belong to; the tail of zeros is one row. */
export function shareFigure(data: ReportData): Html {
  const { shareHistogram: counts } = data;
  const owners = new Set(ownersPerFeature(data).values());
  const end = counts.findLastIndex((count) => count > 0) + 1;
  const most = Math.max(...counts);
  const row = (label: string, count: number, kept: boolean) =>
    html`
      <tr${kept
        ? html`
          class="kept"
        `
        : ""}>
        <th scope="row">${label}</th>
        <td><span class="bar" style="--v:${share(count, most)}%"></span>${countText(count)}</td>
        </tr>
    `;
  const rows = counts.slice(0, end).map((count, at) => row(`${at + 1}`, count, owners.has(at + 1)));
  if (end < counts.length) {
    const from = end + 1;
    rows.push(row(from === counts.length ? `${from}` : `${from}–${counts.length}`, 0, false));
  }
  return html`
    <figure>
      <figcaption>
        <h3>Candidates by number of languages</h3>
        <p>How many languages each of the ${countText(
          data.candidates.length,
        )} candidates belongs to.
    <span class="key feature-key">Kept</span> as features, <span class="key">not kept</span>.</p>
      </figcaption>
      <table class="shares">
        <thead>
          <tr>
            <th scope="col">Languages</th>
            <th scope="col">Candidates</th>
          </tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </figure>
  `;
}

/** For each feature, once, under how many languages it is listed. */
export function ownersPerFeature(data: ReportData): Map<string, number> {
  const owners = new Map<string, number>();
  for (const { layer, index } of data.features.flat()) {
    const key = `${layer}/${index}`;
    owners.set(key, (owners.get(key) ?? 0) + 1);
  }
  return owners;
}
