import { byTotal, languageId } from "./belonging.ts";
import { featureCard, listed, nextText } from "./feature_card.ts";
import { EMPTY, type Html, markup } from "./html.ts";
import { countText, decimalText, percentText, quantityText, rangesText } from "./numbers.ts";
import { CARDS_PER_LANGUAGE, type ReportData, type ReportFeature } from "./report_data.ts";

/** Cards of a language that are open; the others wait behind a click. */
const OPEN_CARDS = 2;
/** Rows of a language's table of features; features.csv has them all. */
const TABLE_ROWS = 200;

/** Each language's features: the strongest as cards, all of them as a table. */
export function languageSections(data: ReportData): Html {
  const order = byTotal(data);
  const links = order.map((g) => {
    const { code, name } = data.languages[g];
    const total = countText(data.features[g].length);
    return markup`<li><a href="#${
      languageId(code)
    }"><bdi>${name}</bdi> <small>${total}</small></a></li>`;
  });
  return markup`<p class="scale">Lowest entropy first. The bars compare the activation probability in all
languages. In the texts a token’s shade is its activation:
<span class="ramp">weak <i></i> the feature’s strongest</span></p>
<nav aria-label="Languages"><ul class="chips">${links}</ul></nav>
${order.map((g) => languageSection(data, g))}`;
}

function languageSection(data: ReportData, g: number): Html {
  const { name, code } = data.languages[g];
  const features = data.features[g].toSorted((a, b) =>
    a.entropy - b.entropy || a.layer - b.layer || a.index - b.index
  );
  const cards = features.slice(0, CARDS_PER_LANGUAGE)
    .map((feature) => featureCard(data, feature, g));
  const none = markup`<p>No feature belongs to <bdi>${name}</bdi> under these options.</p>`;
  return markup`<section class="language" id="${languageId(code)}" data-holds-features>
<header><h3>${name}</h3> <p>${summary(data, g)}</p>
<a href="#strongest">all languages ↑</a></header>
${cards.length === 0 ? none : cards.slice(0, OPEN_CARDS)}
${folded(cards.slice(OPEN_CARDS))}${featureTable(data, features, g)}
</section>
`;
}

function summary(data: ReportData, g: number): string {
  const { examples, tokens } = data.languages[g];
  const features = data.features[g];
  const layers = data.layers.filter((layer) => features.some((f) => f.layer === layer));
  const where = layers.length === 0
    ? ""
    : ` in layer${layers.length === 1 ? "" : "s"} ${rangesText(layers)}`;
  const counted = `${quantityText(examples, "example")}, ${quantityText(tokens, "token")}`;
  return `${quantityText(features.length, "feature")}${where} · ${counted}`;
}

function folded(cards: readonly Html[]): Html {
  if (cards.length === 0) return EMPTY;
  return markup`<details data-holds-features><summary>${
    quantityText(cards.length, "more feature")
  } with examples</summary>
${cards}</details>
`;
}

function featureTable(data: ReportData, features: readonly ReportFeature[], g: number): Html {
  if (features.length === 0) return EMPTY;
  const { name } = data.languages[g];
  const rows = features.slice(0, TABLE_ROWS).map((feature) =>
    markup`<tr ${listed(feature, name)}><th scope="row">${feature.layer} / ${feature.index}</th>
<td>${decimalText(feature.entropy, 4)}</td><td>${percentText(feature.probability)}</td>
<td>${nextText(data, feature, g)}</td></tr>
`
  );
  const all = `Table of all ${name} features`;
  const first = `Table of the first ${TABLE_ROWS} of ${countText(features.length)} features`;
  return markup`<details data-holds-features><summary>${
    features.length > TABLE_ROWS ? first : all
  }</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Features of ${name}">
<table class="numbers"><thead><tr><th scope="col">Layer / index</th><th scope="col">Entropy</th>
<th scope="col">${name}</th><th scope="col">Next</th></tr></thead><tbody>${rows}</tbody></table>
</div></details>`;
}
