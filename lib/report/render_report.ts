import { createHash } from "node:crypto";
import { entropyFigure } from "./entropy_figure.ts";
import { featureCard, runnerUpText } from "./feature_card.ts";
import { type Html, html, trusted } from "./html.ts";
import { byTotal, languageId } from "./languages.ts";
import { countText, decimalText, percentText, quantityText } from "./numbers.ts";
import { layerFigure, ownersPerFeature, shareFigure } from "./ownership_figures.ts";
import script from "./report.js" with { type: "text" };
import style from "./report.css" with { type: "text" };
import { CARDS_PER_LANGUAGE, type ReportData, type ReportFeature } from "./report_data.ts";

/** Cards of a language that are open; the others wait behind a click. */
const OPEN_CARDS = 2;
/** Rows of a language's table of features; features.csv has them all. */
const TABLE_ROWS = 200;

/**
 * The identify step's report.html: one static page without any outside file, readable without
 * scripts, in which all text of the corpus is shown as text.
 *
 * @throws {RangeError} when the per-language arrays do not match `data.languages`.
 */
export function renderReport(data: ReportData): string {
  checkLengths(data);
  return html`
    <!doctype html>
    <html lang="en">
    ${head(data)}
    <body>
    <main>
    ${opening(data)}
    <section class="figures" aria-label="Figures">
    <div class="ownership">${layerFigure(data)}
    ${shareFigure(data)}</div>
    ${entropyFigure(data)}
    </section>
    ${languageSections(data)}
    ${foot(data)}
    </main>
    <script>${trusted(script)}</script>
    </body>
    </html>
  `.source;
}

function checkLengths({ languages, features, shareHistogram }: ReportData): void {
  const profiles = features.flat().map((feature) => feature.probabilities);
  for (const list of [features, shareHistogram, ...profiles]) {
    if (list.length === languages.length) continue;
    throw new RangeError(`report: ${list.length} values for ${languages.length} languages`);
  }
}

function head(data: ReportData): Html {
  const hash = createHash("sha256").update(script).digest("base64");
  return html`
    <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy"
        content="default-src 'none'; style-src 'unsafe-inline'; ${trusted(
          `script-src 'sha256-${hash}'`,
        )}; base-uri 'none'; form-action 'none'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="babelscope">
      <title>${data.title}</title>
      <style>${trusted(style)}</style>
    </head>
  `;
}

/** What one unit of a layer is called. */
function unit(data: ReportData): string {
  return data.method.algorithm === "lape" ? "neuron" : "latent";
}

/** "belong to exactly one of 15 languages": how many own a feature, as found in the data. */
function belonging(owners: readonly number[], languages: number): string {
  const least = Math.min(...owners);
  const most = Math.max(...owners);
  if (most === 1) return `belong to exactly one of ${languages} languages`;
  if (least === most) return `are shared by exactly ${most} of ${languages} languages`;
  return `belong to one or more of ${languages} languages`;
}

function finding(data: ReportData): Html {
  const owners = [...ownersPerFeature(data).values()];
  const of = `${countText(data.layers.length * data.width)} ${unit(data)}s in ${
    quantityText(data.layers.length, "layer")
  }`;
  if (owners.length === 0) {
    return html`<p class="finding">None of ${of} belongs to a language under these options.</p>`;
  }
  return html`<p class="finding"><b>${countText(owners.length)}</b> of ${of} ${
    belonging(owners, data.languages.length)
  }${extremes(data)}.</p>`;
}

function extremes(data: ReportData): string {
  const order = byTotal(data);
  if (order.length < 2) return "";
  const [first, last] = [order[0], order[order.length - 1]].map((g) =>
    `${data.languages[g].name} (${data.features[g].length})`
  );
  return `: most to ${first}, fewest to ${last}`;
}

function opening(data: ReportData): Html {
  const examples = data.languages.reduce((sum, { examples }) => sum + examples, 0);
  const tokens = data.languages.reduce((sum, { tokens }) => sum + tokens, 0);
  return html`<header class="opening">
<p class="kicker">babelscope identify</p>
<h1>${data.title}</h1>
${finding(data)}
<dl class="asked">
<div><dt>Model</dt><dd>${data.model}</dd></div>
<div><dt>${unit(data) === "neuron" ? "Neurons" : "SAE"}</dt><dd>${data.sae}</dd></div>
<div><dt>Corpus</dt><dd>${data.corpus}: ${quantityText(data.languages.length, "language")}, ${
    quantityText(examples, "example")
  }, ${quantityText(tokens, "token")}</dd></div>
<div><dt>Rules</dt><dd>${rules(data)}</dd></div>
</dl>
${howToRead(data)}
</header>`;
}

function rules({ method }: ReportData): string {
  if (method.algorithm === "lape") {
    return `LAPE: top ${percentText(method.topRate)}, filter ${percentText(method.filterRate)}, ` +
      `bar ${percentText(method.barRatio)}`;
  }
  return `SAE-LAPE: examples ≥ ${percentText(method.exampleRate)}, ` +
    `tokens > ${percentText(method.tokenRate)}, owner ≥ ${
      percentText(method.ratio)
    } of its highest`;
}

/** Which units are candidates and whose they are; spec sections 6.2 and 6.3. */
function rulesInWords({ method }: ReportData): Html {
  if (method.algorithm === "lape") {
    return html`A neuron is a <b>candidate</b> when its probability in some language is above the
${percentText(method.filterRate)} quantile of all probabilities and its entropy is among the lowest
${percentText(method.topRate)} of all neurons. It <b>belongs</b> to every language in which its
probability is above the ${percentText(method.barRatio)} quantile.`;
  }
  return html`A latent is a <b>candidate</b> when it fires in ${percentText(method.exampleRate)} of
the examples of some language and on more than ${percentText(method.tokenRate)} of the tokens of
some language. It <b>belongs</b> to the languages in which its probability is at least ${
    percentText(method.ratio)
  } of its highest.`;
}

function howToRead(data: ReportData): Html {
  const languages = data.languages.length;
  return html`
    <div class="how">
      <h2>How to read this</h2>
      <p>The <b>activation probability</b> of a ${unit(data)} in a language is the share of the
    language’s tokens on which it fires. Its <b>entropy</b> says how that probability is spread over the
    ${languages} languages: 0 when one language has it alone, ln ${languages} = ${Math.log(
      languages,
    ).toFixed(2)} when all share it evenly. ${rulesInWords(
      data,
    )} The <b>features</b> are the candidates that
    were kept under the options at the foot of the page.</p>
    </div>
  `;
}

function languageSections(data: ReportData): Html {
  const order = byTotal(data);
  const links = order.map((g) => {
    const { code, name } = data.languages[g];
    return html`<li><a href="#${languageId(code)}">${name} <small>${
      data.features[g].length
    }</small></a></li>`;
  });
  return html`<section aria-labelledby="languages"><h2 id="languages">Each language’s strongest features</h2>
<p class="scale">Lowest entropy first. The bars compare the activation probability in all
languages. In the texts a token’s shade is its activation: <span class="ramp"><span>weak</span><i
></i><span>the feature’s strongest</span></span></p>
<nav aria-label="Languages"><ul class="chips">${links}</ul>
<p class="controls" hidden><label>Show <select id="filter"><option value="">all languages</option>${
    order.map((g) =>
      html`<option value="${languageId(data.languages[g].code)}">${data.languages[g].name}</option>`
    )
  }</select></label> <button type="button" id="unfold">Unfold everything</button></p></nav>
${order.map((g) => languageSection(data, g))}</section>`;
}

function languageSection(data: ReportData, g: number): Html {
  const { name, code, examples, tokens } = data.languages[g];
  const features = data.features[g].toSorted((a, b) =>
    a.entropy - b.entropy || a.layer - b.layer || a.index - b.index
  );
  const cards = features.slice(0, CARDS_PER_LANGUAGE)
    .map((feature) => featureCard(data, feature, g));
  const layers = data.layers.filter((layer) => features.some((f) => f.layer === layer));
  return html`
    <section class="language" id="${languageId(code)}">
    <h3>${name} <small>${quantityText(features.length, "feature")}${layers.length === 0
      ? ""
      : ` in ${layers.length === 1 ? "layer" : "layers"} ${layers.join(", ")}`} · ${quantityText(
        examples,
        "example",
      )}, ${quantityText(tokens, "token")}</small>
    <a class="up" href="#languages">all languages ↑</a></h3>
    ${features.length === 0 ? html`<p>No feature belongs to ${name} under these options.</p>` : ""}
    ${cards.slice(0, OPEN_CARDS)}${more(cards.slice(OPEN_CARDS))}${featureTable(data, features, g)}
    </section>
  `;
}

function more(cards: readonly Html[]): Html {
  if (cards.length === 0) return html``;
  return html`
    <details><summary>${quantityText(cards.length, "more feature")} with examples</summary>
    ${cards}</details>
  `;
}

function featureTable(data: ReportData, features: readonly ReportFeature[], g: number): Html {
  if (features.length === 0) return html``;
  const { name } = data.languages[g];
  const rows = features.slice(0, TABLE_ROWS).map((feature) =>
    html`
      <tr>
        <td>${feature.layer}</td>
        <td>${feature.index}</td>
        <td>${decimalText(feature.entropy, 4)}</td>
        <td>${percentText(feature.probability)}</td>
        <td>${runnerUpText(data, feature, g)}</td>
      </tr>
    `
  );
  const left = features.length - rows.length;
  return html`
    <details>
      <summary>Table of ${left > 0
        ? `the first ${TABLE_ROWS} of ${countText(features.length)}`
        : "all"} ${name} features</summary>
      <div class="scroll" tabindex="0" role="region"
        aria-label="Features of ${name}">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th
                scope="col">Index</th>
              <th scope="col">Entropy</th>
              <th scope="col">In ${name}</th>
              <th
                scope="col">Next</th>
            </tr>
          </thead>
          <tbody>${rows}</tbody>
        </table>
      </div>
    </details>
  `;
}

function pairs(entries: ReportData["options"]): Html {
  return html`<dl class="pairs">${
    entries.map(([name, value]) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>
      `
    )
  }</dl>`;
}

function foot(data: ReportData): Html {
  return html`<footer><h2>How it was made</h2>
<h3>Command</h3><pre tabindex="0"><code>${data.command}</code></pre>
<h3>Options</h3>${pairs(data.options)}
<h3>Provenance</h3>${pairs(data.provenance)}
</footer>`;
}
