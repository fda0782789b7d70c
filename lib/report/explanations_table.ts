import { listed } from "./feature_card.ts";
import { EMPTY, type Html, markup } from "./html.ts";
import { countText, decimalText, quantityText } from "./numbers.ts";
import type { ExplainedFeature, ExplanationRun, ScorerResult } from "./report_page.ts";
import type { Estimate } from "../summary/findings.ts";
import { lead, numbersTable } from "./result_tables.ts";
import { clipText } from "./visible_text.ts";

/** Rows that the page has; the results have them all. */
const MOST_ROWS = 2000;
const TEXT_LIMIT = 400;

/** What a language model said of each feature, and how well that tells where the feature fires. */
export function explanationParts(runs: readonly ExplanationRun[]): Html {
  return markup`${runs.map(explanationPart)}`;
}

function explanationPart({ model, complete, features, scorers }: ExplanationRun): Html {
  const names = scorers.map(({ scorer }) => scorer);
  const rows = features.slice(0, MOST_ROWS).map((feature) => explanationRow(feature, names));
  const explained = features.filter(({ explanation }) => explanation !== null).length;
  const sentences = [
    `${quantityText(explained, "explanation")}${
      model ? ` by ${clipText(model, TEXT_LIMIT)}` : ""
    }.`,
    complete ? "" : "The budget was spent before all was done.",
    "A scorer asks a language model where a feature fires by its explanation alone; 0.5 is chance. " +
    "Controls are latents drawn at random with explanations of their own, and features with the " +
    "explanation of another.",
    features.length > MOST_ROWS ? `The first ${countText(MOST_ROWS)} are shown.` : "",
  ];
  const heads = scorers.map(({ scorer, metric }) =>
    markup`<th scope="col">${scorer}: ${metric.replaceAll("_", " ")}</th>
`
  );
  return markup`${lead(sentences.filter((sentence) => sentence !== "").join(" "))}${
    scorers.length > 0 ? scorersTable(scorers) : EMPTY
  }<details data-holds-features open><summary>All explanations</summary>
<div class="scroll tall" tabindex="0" role="region" aria-label="Explanations and their scores">
<table class="numbers explanations"><thead><tr><th scope="col">Feature</th>
<th scope="col">Language</th><th scope="col">Explanation</th>${heads}</tr></thead>
<tbody>${rows}</tbody></table></div></details>
`;
}

function explanationRow(feature: ExplainedFeature, scorers: readonly string[]): Html {
  const { layer, index, languages, random, explanation, problem, scores } = feature;
  const cells = scorers.map((name) => {
    const score = scores.find(({ scorer }) => scorer === name);
    return markup`<td>${score ? estimateText(score) : "–"}</td>`;
  });
  const text = clipText(explanation ?? "", TEXT_LIMIT);
  const note = problem === null ? EMPTY : markup` <small>(${problem})</small>`;
  return markup`<tr ${listed(feature, ...languages)}><th scope="row">${layer} / ${index}</th>
<td><bdi>${random ? "random control" : languages.join(", ")}</bdi></td>
<td class="explanation"><bdi data-searched>${text}</bdi>${note}</td>${cells}</tr>
`;
}

function scorersTable(scorers: readonly ScorerResult[]): Html {
  const controls = [...new Set(scorers.flatMap((scorer) => Object.keys(scorer.controls)))];
  const header = [
    ...["Scorer", "Features", "Mean score"],
    ...controls.flatMap((name) => [`${name}: mean`, `${name}: below the features by`]),
    "Without an answer",
  ];
  const rows = scorers.map(({ scorer, metric, latents, mean, failed, predictions, ...rest }) => [
    `${scorer} (${metric.replaceAll("_", " ")})`,
    countText(latents),
    estimateText(mean),
    ...controls.flatMap((name) => {
      const compared = rest.controls[name];
      return compared ? [compared.control, compared.difference].map(estimateText) : ["–", "–"];
    }),
    `${countText(failed)} of ${countText(predictions + failed)}`,
  ]);
  return numbersTable("Scores and controls", header, rows);
}

/** `0.585 (0.526 to 0.647)` */
function estimateText({ value, low, high }: Estimate): string {
  const text = decimalText(value, 3);
  const known = Number.isFinite(low) && Number.isFinite(high);
  return known ? `${text} (${decimalText(low, 3)} to ${decimalText(high, 3)})` : text;
}
