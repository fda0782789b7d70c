import { listed } from "./feature_card.ts";
import { EMPTY, type Html, markup } from "./html.ts";
import { countText, percentText } from "./numbers.ts";
import type { ExplainedFeature, ExplanationScored } from "./report_page.ts";
import { clipText } from "./visible_text.ts";

/** Rows that the page has; the results have them all. */
const MOST_ROWS = 2000;
const TEXT_LIMIT = 400;

/** What a language model said of each feature, and how well that tells where the feature fires. */
export function explanationsTable(explained: readonly ExplainedFeature[]): Html {
  const scorers = [...new Set(explained.flatMap(({ scores }) => scores.map((s) => s.scorer)))];
  const rows = explained.slice(0, MOST_ROWS).map((feature) => explanationRow(feature, scorers));
  const left = explained.length > MOST_ROWS
    ? markup`<p class="scale">The first ${countText(MOST_ROWS)} of ${
      countText(explained.length)
    } are shown.</p>
`
    : EMPTY;
  const heads = scorers.map((name) =>
    markup`<th scope="col">${name}: accuracy</th>
<th scope="col">F1</th>`
  );
  return markup`${controlsTable(explained, scorers)}${left}<details data-holds-features open>
<summary>${countText(explained.length)} explanations</summary>
<div class="scroll tall" tabindex="0" role="region" aria-label="Explanations and scores">
<table class="numbers explanations"><thead><tr><th scope="col">Feature</th>
<th scope="col">Language</th><th scope="col">Explanation</th>${heads}</tr></thead>
<tbody>${rows}</tbody></table></div></details>
`;
}

function explanationRow(feature: ExplainedFeature, scorers: readonly string[]): Html {
  const { layer, index, languages, control, explanation, scores } = feature;
  const cells = scorers.map((name) => {
    const score = scores.find(({ scorer }) => scorer === name);
    return markup`<td>${score ? accuracyText(score) : "–"}</td><td>${
      score ? percentText(score.f1) : "–"
    }</td>`;
  });
  const text = clipText(explanation, TEXT_LIMIT);
  return markup`<tr ${listed(feature, ...languages)}><th scope="row">${layer} / ${index}</th>
<td><bdi>${control ?? languages.join(", ")}</bdi></td>
<td class="explanation"><bdi data-searched>${text}</bdi></td>${cells}</tr>
`;
}

function accuracyText({ accuracy, interval }: ExplanationScored): string {
  if (interval === undefined) return percentText(accuracy);
  const [low, high] = [interval.low, interval.high].map((share) => (100 * share).toFixed(1));
  return `${percentText(accuracy)} (${low} to ${high})`;
}

/** Mean accuracy of the features' explanations beside that of each kind of control. */
function controlsTable(
  explained: readonly ExplainedFeature[],
  scorers: readonly string[],
): Html {
  const kinds = Map.groupBy(explained, ({ control }) => control ?? "language-specific features");
  if (scorers.length === 0) return EMPTY;
  const heads = scorers.map((name) => markup`<th scope="col">${name}: mean accuracy</th>`);
  const rows = [...kinds].map(([kind, features]) => {
    const cells = scorers.map((name) => {
      const values = features.flatMap(({ scores }) =>
        scores.filter(({ scorer }) => scorer === name).map(({ accuracy }) => accuracy)
      );
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return markup`<td>${values.length > 0 ? percentText(mean) : "–"}</td>`;
    });
    return markup`<tr><th scope="row">${kind}</th><td>${
      countText(features.length)
    }</td>${cells}</tr>
`;
  });
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Scores and controls">
<table class="numbers"><thead><tr><th scope="col">Of</th><th scope="col">Explained</th>${heads}</tr></thead>
<tbody>${rows}</tbody></table></div>
`;
}
