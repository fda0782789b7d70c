import { byTotal, distinctFeatures, languageId } from "./belonging.ts";
import { type Html, markup } from "./html.ts";
import { countText, decimalText } from "./numbers.ts";
import type { ReportData } from "./report_data.ts";

const BINS = 36;

/** A set of entropies: in ascending order, and counted in BINS equal steps of the figure. */
interface Distribution {
  readonly sorted: readonly number[];
  readonly counts: readonly number[];
  /** The lower one of two in the middle; NaN of none. */
  readonly median: number;
}

/** What all parts of the figure share. */
interface Scale {
  /** ln of the number of languages: the right edge. */
  readonly top: number;
  /** Ticks in nats. */
  readonly nats: readonly number[];
  /** Ticks in evenly shared languages, e^entropy. */
  readonly languages: readonly number[];
}

function scaleOf(languages: number): Scale {
  const top = Math.log(languages) || 1;
  const clear = 0.9 * top; // leaves room for the tick at the right edge
  return {
    top,
    nats: [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5].filter((tick) => tick < clear),
    languages: [1, 2, 3, 5, 10, 20, 50].filter((count) => Math.log(count) < clear),
  };
}

function distribution(entropies: readonly number[], { top }: Scale): Distribution {
  const sorted = entropies.toSorted((a, b) => a - b);
  const counts = new Array<number>(BINS).fill(0);
  for (const entropy of sorted) {
    counts[Math.max(0, Math.min(BINS - 1, Math.floor(BINS * entropy / top)))]++;
  }
  return { sorted, counts, median: sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN };
}

/** Path of a bar per bin, in a view box BINS wide and 100 high. */
function bars(counts: readonly number[], highest: number): string {
  return counts.map((count, bin) => {
    if (count === 0) return "";
    return `M${bin + 0.06},100V${(100 - 100 * count / highest).toFixed(1)}h.88V100Z`;
  }).join("");
}

function line(entropy: number, { top }: Scale): string {
  return Number.isFinite(entropy) ? `M${(BINS * entropy / top).toFixed(2)},0V100` : "";
}

/** One histogram; `behind` is drawn in grey behind it. */
function lane(
  { label, shown, behind, highest, scale }: {
    label: string;
    shown: Distribution;
    behind?: Distribution;
    highest: number;
    scale: Scale;
  },
): Html {
  const grid = scale.nats.map((tick) => line(tick, scale)).join("");
  return markup`<svg class="lane" viewBox="0 0 ${BINS} 100" preserveAspectRatio="none" role="img"
 aria-label="${label}"><title>${label}</title><path class="grid" d="${grid}"/>
<path class="behind" d="${bars(behind?.counts ?? [], highest)}"/>
<path class="front" d="${bars(shown.counts, highest)}"/>
<path class="median" d="${line(shown.median, scale)}"/></svg>`;
}

function axis(kind: "above" | "below", label: string, ticks: readonly [number, string][]): Html {
  const marks = ticks.map(([at, text]) =>
    markup`<span style="left:${(100 * at).toFixed(2)}%">${text}</span>`
  );
  return markup`<div class="axis ${kind}" aria-hidden="true"><span>${label}</span>
<div class="ticks">${marks}</div></div>
`;
}

function languagesAxis({ top, languages }: Scale, all: number): Html {
  const ticks = languages.map((k): [number, string] => [Math.log(k) / top, `${k}`]);
  return axis("above", "≈ languages", [...ticks, [1, `${all}`]]);
}

function entropyAxis({ top, nats }: Scale): Html {
  const ticks = nats.map((tick): [number, string] => [tick / top, `${tick}`]);
  return axis("below", "entropy (nats)", [...ticks, [1, top.toFixed(2)]]);
}

/** How specific the features are: entropy of all candidates, then of each language's features. */
export function entropyFigure(data: ReportData): Html {
  const scale = scaleOf(data.languages.length);
  const candidates = distribution(data.candidates.map(({ entropy }) => entropy), scale);
  const features = distribution(distinctFeatures(data).map((f) => f.feature.entropy), scale);
  const languages = data.features.map((list) => distribution(list.map((f) => f.entropy), scale));
  const tallest = Math.max(1, ...candidates.counts, ...features.counts);
  const highest = Math.max(1, ...languages.flatMap(({ counts }) => counts));
  const named = {
    candidates: `${countText(data.candidates.length)} candidates`,
    features: `${countText(features.sorted.length)} features`,
  };
  const overview = lane({
    label: `Entropy of ${named.candidates} and ${named.features}`,
    shown: features,
    behind: candidates,
    highest: tallest,
    scale,
  });
  const rows = byTotal(data).map((g) => {
    const { name, code } = data.languages[g];
    const middle = decimalText(languages[g].median, 2);
    const label = `${name}: median entropy ${middle}`;
    const drawn = lane({ label, shown: languages[g], highest, scale });
    return markup`<div class="row"><a href="#${languageId(code)}">${name}</a>
${drawn}<span class="middle">${middle}</span></div>
`;
  });
  return markup`<figure class="entropy">
<figcaption><h3>How specific they are: entropy</h3>
<p>Left: one language has it almost alone. Right: all languages share it evenly. In the top row
<span class="key">all ${named.candidates}</span> and the <span class="key feature-key">${named.features}</span>
among them (highest bar: ${countText(tallest)}); below, each language’s features (highest bar:
${countText(highest)}). The line and the number on the right are the median.</p></figcaption>
${languagesAxis(scale, data.languages.length)}
<div class="row overview"><span>All</span>
${overview}<span class="middle">${decimalText(features.median, 2)}</span></div>
${rows}${entropyAxis(scale)}
<details><summary>The numbers behind this figure</summary><div class="side-by-side">
${languageTable(data, languages)}
${binTable(candidates, features, scale)}</div></details></figure>`;
}

function languageTable(data: ReportData, distributions: readonly Distribution[]): Html {
  const rows = byTotal(data).map((g) => {
    const { sorted, median } = distributions[g];
    const values = [sorted[0] ?? NaN, median, sorted.at(-1) ?? NaN];
    const cells = values.map((value) => markup`<td>${decimalText(value, 3)}</td>`);
    return markup`<tr><th scope="row">${
      data.languages[g].name
    }</th><td>${sorted.length}</td>${cells}</tr>
`;
  });
  return markup`<table class="numbers">
<thead><tr><th scope="col">Language</th><th scope="col">Features</th>
<th scope="col">Lowest</th><th scope="col">Median</th><th scope="col">Highest</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

function binTable(candidates: Distribution, features: Distribution, { top }: Scale): Html {
  const edge = (bin: number) => (top * bin / BINS).toFixed(3);
  const rows = candidates.counts.map((count, bin) =>
    markup`<tr><th scope="row">${edge(bin)} to ${edge(bin + 1)}</th>
<td>${count}</td><td>${features.counts[bin]}</td></tr>
`
  );
  return markup`<table class="numbers">
<thead><tr><th scope="col">Entropy</th><th scope="col">Candidates</th><th scope="col">Features</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}
