import { languageId, nextLanguage } from "./belonging.ts";
import { highlightedText } from "./highlight.ts";
import { EMPTY, type Html, markup } from "./html.ts";
import { countText, decimalText, percentText } from "./numbers.ts";
import type { ReportData, ReportExample, ReportFeature, ReportLanguage } from "./report_data.ts";
import { clipText } from "./visible_text.ts";

const TOKENS = 12;
const TOKEN_LIMIT = 32;
const EXAMPLES = 4;
const LABEL_LIMIT = 120;
const EXPLANATION_LIMIT = 400;
/** With more languages than this, only the owner's bar has room for its code. */
const LABELLED_BARS = 18;

/** A feature as it belongs to `data.languages[owner]`. */
export function featureCard(data: ReportData, feature: ReportFeature, owner: number): Html {
  const { layer, index } = feature;
  const language = data.languages[owner];
  const id = `${languageId(language.code)}-${layer}-${index}`;
  const examples = feature.examples.slice(0, EXAMPLES)
    .map((example) => exampleText(data, feature, example));
  const none = markup`<li><small>No examples were collected.</small></li>`;
  return markup`<article class="feature" id="${id}" ${listed(feature, language.name)}>
<header><h4><a href="#${id}">Layer ${layer} <span>/</span> ${index}</a></h4>
${facts(data, feature, owner)}${explanationLine(feature)}</header>
<div class="profile">${strip(data, feature, owner)}${tokens(feature, language)}</div>
<ol class="examples">${examples.length > 0 ? examples : none}</ol>
</article>
`;
}

/** What the page's search knows of an element that is about a feature. */
export function listed(
  { layer, index }: Pick<ReportFeature, "layer" | "index">,
  ...languages: readonly string[]
): Html {
  return markup`data-feature="${layer}/${index}" data-layer="${layer}" data-languages="${
    JSON.stringify(languages)
  }"`;
}

function explanationLine({ explanation }: ReportFeature): Html {
  if (explanation === undefined) return EMPTY;
  const text = clipText(explanation, EXPLANATION_LIMIT);
  return markup`<p class="explanation"><bdi data-searched>${text}</bdi></p>`;
}

function facts(data: ReportData, feature: ReportFeature, owner: number): Html {
  const { entropy, entropyInterval, probability, max, qValue } = feature;
  const range = entropyInterval === undefined
    ? EMPTY
    : markup` (${decimalText(entropyInterval.low, 3)} to ${decimalText(entropyInterval.high, 3)})`;
  const q = qValue === undefined ? EMPTY : markup` · q ${decimalText(qValue, 3)}`;
  const next = nextText(data, feature, owner);
  const even = decimalText(Math.exp(entropy), 1);
  return markup`<p class="facts">fires on <b>${percentText(probability)}</b>
of <bdi>${data.languages[owner].name}</bdi> tokens${next === EMPTY ? EMPTY : markup`, next ${next}`}
· entropy <b>${decimalText(entropy, 3)}</b>${range} ≈ ${even} languages${q}
· strongest activation ${decimalText(max, 2)}</p>`;
}

/** "Russian 12 %": the other language it fires most in; EMPTY where there is only one language. */
export function nextText(data: ReportData, feature: ReportFeature, owner: number): Html {
  const next = nextLanguage(feature, owner);
  if (next === -1) return EMPTY;
  const share = percentText(feature.probabilities[next]);
  return markup`<bdi>${data.languages[next].name}</bdi> ${share}`;
}

/** A bar per language, as high as the activation probability relative to the highest. */
function strip(data: ReportData, { probabilities }: ReportFeature, owner: number): Html {
  const highest = Math.max(...probabilities);
  const labels = data.languages.map(({ name }, g) => `${name} ${percentText(probabilities[g])}`);
  const bars = data.languages.map(({ code }, g) => {
    const height = highest > 0 ? (100 * probabilities[g] / highest).toFixed(1) : 0;
    return markup`<span class="${g === owner ? "own" : "other"}" title="${labels[g]}">
<i style="--v:${height}%"></i>${code.split("-")[0]}</span>`;
  });
  return markup`<div class="strip${bars.length > LABELLED_BARS ? " dense" : ""}" role="img"
 aria-label="Activation probability: ${labels.join(", ")}">${bars}</div>`;
}

function tokens({ topTokens }: ReportFeature, { code }: ReportLanguage): Html {
  if (topTokens.length === 0) return EMPTY;
  const items = topTokens.slice(0, TOKENS).map(({ text, count }) => {
    return markup`<li><bdi lang="${code}" data-searched>${tokenText(text)}</bdi><small>×${
      countText(count)
    }</small></li>`;
  });
  return markup`<ul class="tokens" aria-label="Tokens it fires on most">${items}</ul>`;
}

/** Spaces shown, and a combining mark without its letter put on a dotted circle. */
function tokenText(text: string): string {
  const clipped = clipText(text.replaceAll(" ", "␣"), TOKEN_LIMIT);
  return clipped.replace(/^\p{M}/u, "◌$&") || "(empty)";
}

function exampleText(data: ReportData, feature: ReportFeature, example: ReportExample): Html {
  const language = data.languages.find(({ code }) => code === example.language);
  const text = highlightedText(example, feature);
  return markup`<li><p lang="${example.language}" dir="${
    language?.direction ?? "auto"
  }" data-searched>${text}</p>
<small><bdi>${clipText(example.label, LABEL_LIMIT)}</bdi></small></li>
`;
}
