/** One latent: its numbers, the texts it fires on, its relations. */
import { h } from "preact";
import { decimalText, percentText } from "../../report/numbers.ts";
import { visibleText } from "../../report/visible_text.ts";
import type { ExplanationScore, FeatureDetail, Overview, Related } from "../backend.ts";
import { useAnswer } from "./answers.ts";
import { ArticleSection } from "./article_section.ts";
import { TokenText } from "./coloured_text.ts";
import { ContextsSection } from "./contexts_section.ts";
import { Badges, FeatureLink, featureName } from "./feature_name.ts";
import { LanguagesTable } from "./languages_table.ts";
import { Link } from "./link.ts";
import { Answered, Page, Problem } from "./page.ts";
import { type FeatureRoute, STEERING } from "./route.ts";

/** A latent's page. */
export function FeaturePage({ route }: { readonly route: FeatureRoute }) {
  const { layer, index } = route;
  const overview = useAnswer("overview");
  const state = useAnswer("feature", layer, index);
  const title = ["Layer ", layer, h("span", { class: "dot" }, " · "), "latent ", index];
  if (overview.problem !== undefined) return h(Page, { title }, h(Problem, null, overview.problem));
  return h(
    Page,
    { title },
    overview.answer && h(Answered<FeatureDetail>, {
      state,
      show: (feature) => h(Shown, { route, feature, overview: overview.answer! }),
    }),
  );
}

/** What the sections of a page are about. */
export interface FeatureSection {
  readonly route: FeatureRoute;
  readonly feature: FeatureDetail;
  readonly overview: Overview;
}

function Shown({ route, feature, overview }: FeatureSection) {
  const { layer, index, languages, explanation, max } = feature;
  const steer = { page: "steer", ...STEERING, features: [{ layer, index, strength: 1 }] } as const;
  return [
    h(
      "p",
      { class: "owners" },
      languages.length > 0
        ? h(Badges, { languages })
        : h("span", { class: "quiet" }, "of no language"),
      h(Link, { to: steer, class: "action" }, "Steer with it"),
    ),
    explanation !== null && h(
      "blockquote",
      { class: "explanation" },
      h("p", { dir: "auto" }, visibleText(explanation)),
      h(Scores, { scores: feature.scores }),
    ),
    h(
      "div",
      { class: "columns-of-page" },
      h(
        "div",
        { class: "texts" },
        h(ContextsSection, { route, feature, overview }),
      ),
      h(
        "aside",
        { "aria-label": "Numbers" },
        h(Facts, { feature }),
        max > 0 && h(LanguagesTable, { route, feature, overview }),
        h(OutputTokens, { feature }),
        h(Relations, { title: "Nearest decoder rows", related: feature.nearest }),
        h(Relations, { title: "Opposing decoder rows", related: feature.opposing }),
      ),
    ),
    overview.articles.length > 0 && h(ArticleSection, { route, feature, overview }),
  ];
}

function Facts({ feature }: { readonly feature: FeatureDetail }) {
  const { entropy, entropyInterval, qValue, max, probability } = feature;
  const facts: readonly (readonly [string, string, string])[] = [
    [
      "Entropy",
      entropy === null ? "never fires" : `${decimalText(entropy, 3)} nats`,
      entropyInterval ? `95 % interval ${between(entropyInterval, 3)}` : "",
    ],
    ["Fires on", percentText(probability), "of tokens of its most frequent language"],
    ["Largest activation", decimalText(max, 2), ""],
    [
      "q",
      qValue === null ? "–" : qValue < 0.001 ? "< 0.001" : decimalText(qValue, 3),
      "that it fires alike in all languages",
    ],
  ];
  return h(
    "dl",
    { class: "facts" },
    facts.filter(([name, value]) => name !== "q" || value !== "–").map(([name, value, remark]) =>
      h(
        "div",
        { key: name },
        h("dt", null, name),
        h("dd", null, value, remark && h("small", null, ` ${remark}`)),
      )
    ),
  );
}

function Scores({ scores }: { readonly scores: readonly ExplanationScore[] }) {
  if (scores.length === 0) return null;
  return h(
    "table",
    { class: "scores" },
    h("caption", null, "How well the explanation tells where the latent fires"),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        ["Scorer", "Accuracy", "95 %", "F1", "Precision", "Recall"].map((name, i) =>
          h("th", { key: name, scope: "col", class: i > 0 ? "number" : undefined }, name)
        ),
      ),
    ),
    h(
      "tbody",
      null,
      scores.map(({ scorer, accuracy, interval, f1, precision, recall }) =>
        h(
          "tr",
          { key: scorer },
          h("th", { scope: "row" }, visibleText(scorer)),
          h("td", { class: "number" }, decimalText(accuracy, 3)),
          h("td", { class: "number quiet" }, interval ? between(interval, 2) : "–"),
          [f1, precision, recall].map((value, i) =>
            h("td", { key: i, class: "number" }, decimalText(value, 3))
          ),
        )
      ),
    ),
  );
}

function OutputTokens({ feature: { outputTokens } }: { readonly feature: FeatureDetail }) {
  if (outputTokens.length === 0) return null;
  return h(
    "section",
    null,
    h("h2", null, "Output tokens it raises"),
    h(
      "ul",
      { class: "chips" },
      outputTokens.map(({ text, logit }, i) =>
        h("li", { key: i }, h(TokenText, { text }), h("small", null, decimalText(logit, 2)))
      ),
    ),
  );
}

function Relations(
  { title, related }: { readonly title: string; readonly related: readonly Related[] },
) {
  if (related.length === 0) return null;
  return h(
    "section",
    null,
    h("h2", null, title),
    h(
      "ul",
      { class: "related" },
      related.map((other) =>
        h(
          "li",
          { key: featureName(other) },
          h(FeatureLink, { layer: other.layer, index: other.index }),
          h("span", { class: "number", title: "cosine" }, decimalText(other.cosine, 3)),
          h("span", null, h(Badges, { languages: other.languages })),
        )
      ),
    ),
  );
}

function between([low, high]: readonly [number, number], decimals: number): string {
  return `${decimalText(low, decimals)} – ${decimalText(high, decimals)}`;
}
