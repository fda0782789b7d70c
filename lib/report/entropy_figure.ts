import { type Html, html, trusted } from "./html.ts";
import { byTotal, languageId } from "./languages.ts";
import { countText, decimalText } from "./numbers.ts";
import type { ReportData } from "./report_data.ts";

const BINS = 36;

/** Counts in BINS equal steps from 0 to `top`, which belongs to the last. */
function histogram(values: readonly number[], top: number): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) {
    counts[Math.max(0, Math.min(BINS - 1, Math.floor(BINS * value / top)))]++;
  }
  return counts;
}

/** The value in the middle; the lower one of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? NaN;
}

/** Path of a bar per bin, in a view box BINS wide and 100 high. */
function bars(counts: readonly number[], highest: number): string {
  return counts.map((count, bin) => {
    if (count === 0) return "";
    return `M${bin + 0.06},100V${(100 - 100 * count / highest).toFixed(1)}h.88V100Z`;
  }).join("");
}

/** The scale of the figure: ticks in nats, and the number of evenly shared languages they equal. */
function scale(languages: number) {
  const top = Math.log(languages) || 1;
  const halves = Array.from({ length: Math.ceil(top / 0.5) }, (_, at) => at / 2);
  const nats = halves.filter((h) => h < top * 0.95);
  const even = [1, 2, 3, 5, 10, 20, 50, 100].filter((k) => Math.log(k) < top * 0.92);
  return { top, nats, even };
}

type Scale = ReturnType<typeof scale>;

function lane(label: string, paths: Html, marker: number, { top, nats }: Scale): Html {
  const grid = nats.map((tick) => `M${(BINS * tick / top).toFixed(2)},0V100`).join("");
  const middle = Number.isFinite(marker)
    ? html`
      <path class="median" d="M${(BINS * marker / top).toFixed(2)},0V100" />
    `
    : "";
  return html`
    <svg class="lane" viewBox="0 0 ${BINS} 100" preserveAspectRatio="none" role="img"
      aria-label="${label}"><title>${label}</title><path class="grid" d="${grid}"/>${paths}${middle}</svg>
  `;
}

function axis(kind: string, label: string, ticks: readonly (readonly [number, string])[]): Html {
  return html`
    <div class="axis ${kind}" aria-hidden="true"><span class="axis-label">${label}</span
    ><div class="ticks">${ticks.map(([at, text]) =>
      html`<span style="left:${(100 * at).toFixed(2)}%">${text}</span>`
    )}</div></div>
  `;
}

/** Every feature once, whichever languages it is listed under. */
function distinctEntropies(data: ReportData): number[] {
  const entropies = new Map(data.features.flat().map((f) => [`${f.layer}/${f.index}`, f.entropy]));
  return [...entropies.values()];
}

/** How specific the features are: entropy of all candidates, then of each language's features. */
export function entropyFigure(data: ReportData): Html {
  const languages = data.languages.length;
  const x = scale(languages);
  const all = histogram(data.candidates.map((c) => c.entropy), x.top);
  const features = distinctEntropies(data);
  const kept = histogram(features, x.top);
  const perLanguage = data.features.map((list) => histogram(list.map((f) => f.entropy), x.top));
  const highest = Math.max(1, ...perLanguage.flat());
  const tallest = Math.max(1, ...all, ...kept);
  const overview = lane(
    `Entropy of ${countText(data.candidates.length)} candidates and ${
      countText(features.length)
    } features`,
    html`
      <path class="behind" d="${trusted(bars(all, tallest))}" />
      <path class="front" d="${trusted(bars(kept, tallest))}" />
    `,
    median(features),
    x,
  );
  const rows = byTotal(data).map((g) => {
    const { name, code } = data.languages[g];
    const middle = median(data.features[g].map((f) => f.entropy));
    const drawn = html`
      <path class="front" d="${trusted(bars(perLanguage[g], highest))}" />
    `;
    const label = `${name}: median entropy ${decimalText(middle, 2)}`;
    return html`
      <div
        class="row"><a href="#${languageId(code)}">${name}</a>${lane(
          label,
          drawn,
          middle,
          x,
        )}<span class="middle">${decimalText(middle, 2)}</span></div>
    `;
  });
  return html`<figure class="entropy">
<figcaption><h3>How specific they are: entropy</h3>
<p>Left: one language has it almost alone. Right: all languages share it evenly. At the top
<span class="key">all ${countText(data.candidates.length)} candidates</span> and the
<span class="key feature-key">${countText(features.length)} features</span> among them (up to ${
    countText(tallest)
  } per bar); below, each language’s features (up to ${
    countText(highest)
  } per bar). The line and the number on the right are the median.</p></figcaption>
${
    axis("above", "Like … even languages", [
      ...x.even.map((k) => [Math.log(k) / x.top, `${k}`] as const),
      [1, `${languages}`],
    ])
  }<div class="row overview"><span>All</span>${overview}<span class="middle">${
    decimalText(median(features), 2)
  }</span></div>
${rows}${
    axis("below", "Entropy (nats)", [
      ...x.nats.map((tick) => [tick / x.top, `${tick}`] as const),
      [1, `ln ${languages} = ${x.top.toFixed(2)}`],
    ])
  }${entropyTable(data, all, kept, x.top)}</figure>`;
}

/** The figure's numbers. */
function entropyTable(data: ReportData, all: number[], kept: number[], top: number): Html {
  const languages = byTotal(data).map((g) => {
    const entropies = data.features[g].map((f) => f.entropy);
    return html`
      <tr>
        <th scope="row">${data.languages[g].name}</th>
        <td>${entropies.length}</td>
        <td>${decimalText(Math.min(...entropies), 3)}</td>
        <td>${decimalText(median(entropies), 3)}</td>
        <td>${decimalText(Math.max(...entropies), 3)}</td>
      </tr>
    `;
  });
  const bins = all.map((count, bin) =>
    html`
      <tr>
        <th scope="row">${(top * bin / BINS).toFixed(3)} to ${(top * (bin + 1) / BINS).toFixed(
          3,
        )}</th>
        <td>${count}</td>
        <td>${kept[bin]}</td>
      </tr>
    `
  );
  return html`
    <details>
      <summary>The numbers behind this figure</summary>
      <div class="side-by-side">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">Language</th>
              <th scope="col">Features</th>
              <th
                scope="col">Lowest</th>
              <th scope="col">Median</th>
              <th scope="col">Highest</th>
            </tr>
          </thead>
          <tbody>${languages}</tbody>
        </table>
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">Entropy</th>
              <th scope="col">Candidates</th>
              <th
                scope="col">Features</th>
            </tr>
          </thead>
          <tbody>${bins}</tbody>
        </table>
      </div>
    </details>
  `;
}
