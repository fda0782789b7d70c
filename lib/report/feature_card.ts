import { highlightedText } from "./highlight.ts";
import { type Html, html } from "./html.ts";
import { languageId } from "./languages.ts";
import { countText, decimalText, percentText } from "./numbers.ts";
import type { ReportData, ReportExample, ReportFeature, ReportLanguage } from "./report_data.ts";
import { clipText } from "./visible_text.ts";

const TOKENS = 12;
const TOKEN_LIMIT = 32;
const EXAMPLES = 4;

/** Position of the language, other than `owner`, with the highest activation probability. */
function runnerUp(feature: ReportFeature, owner: number): number {
  return feature.probabilities.reduce(
    (best, p, g) => g !== owner && (best === -1 || p > feature.probabilities[best]) ? g : best,
    -1,
  );
}

/** "next: Russian 12 %", or nothing where there is one language. */
export function runnerUpText(data: ReportData, feature: ReportFeature, owner: number): string {
  const next = runnerUp(feature, owner);
  if (next === -1) return "";
  return `${data.languages[next].name} ${percentText(feature.probabilities[next])}`;
}

function facts(data: ReportData, feature: ReportFeature, owner: number): Html {
  const { name } = data.languages[owner];
  const { entropy, probability, max } = feature;
  const next = runnerUpText(data, feature, owner);
  return html`
    <p
      class="facts">fires on <b>${percentText(probability)}</b> of ${name} tokens${next === ""
        ? ""
        : html`, next ${next}`} · entropy <b>${decimalText(entropy, 3)}</b>, like ${decimalText(
          Math.exp(entropy),
          1,
        )} even languages · strongest activation ${decimalText(max, 2)}</p>
  `;
}

/** A bar per language, as high as the activation probability relative to the highest. */
function strip(data: ReportData, feature: ReportFeature, owner: number): Html {
  const highest = Math.max(...feature.probabilities);
  const label = data.languages.map(({ name }, g) =>
    `${name} ${percentText(feature.probabilities[g])}`
  );
  const bars = data.languages.map(({ code }, g) => {
    const height = highest > 0 ? 100 * feature.probabilities[g] / highest : 0;
    return html`<span${
      g === owner
        ? html`
          class="own"
        `
        : ""
    } title="${label[g]}"><i style="--v:${height.toFixed(1)}%"></i>${code.split("-")[0]}</span>`;
  });
  return html`<div class="strip" role="img" aria-label="Activation probability: ${
    label.join(", ")
  }">${bars}</div>`;
}

function tokens(feature: ReportFeature, { code }: ReportLanguage): Html {
  if (feature.topTokens.length === 0) return html``;
  const items = feature.topTokens.slice(0, TOKENS).map(({ text, count }) => {
    const shown = clipText(text, TOKEN_LIMIT).replaceAll(" ", "␣");
    return html`<li><bdi lang="${code}">${shown || "(empty)"}</bdi><small>×${
      countText(count)
    }</small></li>`;
  });
  return html`<ul class="tokens" aria-label="Tokens it fires on most">${items}</ul>`;
}

function exampleText(data: ReportData, feature: ReportFeature, example: ReportExample): Html {
  const language = data.languages.find(({ code }) => code === example.language);
  return html`
    <li><p lang="${example.language}" dir="${language?.direction ?? "auto"}">${highlightedText(
      example,
      feature,
    )}</p><small><bdi>${clipText(example.label, 120)}</bdi></small></li>
  `;
}

/** A feature as it belongs to `data.languages[owner]`. */
export function featureCard(data: ReportData, feature: ReportFeature, owner: number): Html {
  const { layer, index } = feature;
  const language = data.languages[owner];
  const id = `${languageId(language.code)}-${layer}-${index}`;
  const examples = feature.examples.slice(0, EXAMPLES)
    .map((example) => exampleText(data, feature, example));
  return html`
    <article class="feature" id="${id}">
      <header><h4><a href="#${id}">Layer ${layer} <span>/</span> ${index}</a></h4>${facts(
        data,
        feature,
        owner,
      )}</header>
      <div class="profile">${strip(data, feature, owner)}${tokens(feature, language)}</div>
      <ol class="examples">${examples.length > 0
        ? examples
        : html`<li><small>No examples were collected.</small></li>`}</ol>
    </article>
  `;
}
