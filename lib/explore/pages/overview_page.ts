/** What the results are about: languages by layers. */
import { h } from "preact";
import { countText, quantityText } from "../../report/numbers.ts";
import { visibleText } from "../../report/visible_text.ts";
import type { FeatureList, LanguageInfo, Overview } from "../backend.ts";
import { useAnswer } from "./answers.ts";
import { shade, TokenText } from "./coloured_text.ts";
import { Badges, FeatureLink } from "./feature_name.ts";
import { Link } from "./link.ts";
import { Answered, Page } from "./page.ts";

/** Features that are shown at once. */
const CLEAREST = 12;

/** The first page. */
export function OverviewPage() {
  const state = useAnswer("overview");
  return h(Page, { title: "Language-specific features" }, h(Answered<Overview>, { state, show }));
}

function show(overview: Overview) {
  const { model, sae, corpus, languages, layers, provenance } = overview;
  const latents = layers.reduce((sum, layer) => sum + layer.latents, 0);
  return [
    h(
      "p",
      { class: "lead" },
      `${quantityText(latents, "latent")} in ${quantityText(layers.length, "layer")}, texts in `,
      `${quantityText(languages.length, "language")}. Model: ${visibleText(model)}; SAEs: `,
      `${visibleText(sae)}; texts: ${visibleText(corpus)}.`,
    ),
    h(
      "div",
      { class: "columns-of-page" },
      h(LanguageTable, { overview }),
      h(
        "aside",
        { "aria-labelledby": "clearest" },
        h("h2", { id: "clearest" }, "Of lowest entropy"),
        h(Clearest, null),
      ),
    ),
    h(
      "details",
      { class: "provenance" },
      h("summary", null, "Where this comes from"),
      h(
        "dl",
        null,
        provenance.map(([name, value]) => [
          h("dt", { key: name }, visibleText(name)),
          h("dd", null, visibleText(value)),
        ]),
      ),
    ),
  ];
}

/** The features that are of one language most of all. */
function Clearest() {
  const query = { identified: true, order: "entropy", offset: 0, limit: CLEAREST } as const;
  const state = useAnswer("features", query);
  return h(Answered<FeatureList>, {
    state,
    show: ({ features }) =>
      h(
        "ul",
        { class: "clearest" },
        features.map(({ layer, index, languages, explanation, topTokens }) =>
          h(
            "li",
            { key: `${layer} ${index}` },
            h(FeatureLink, { layer, index }),
            h("span", null, h(Badges, { languages })),
            h(
              "span",
              null,
              explanation === null
                ? topTokens.slice(0, 5).map((text, i) => h(TokenText, { key: i, text }))
                : h("bdi", null, visibleText(explanation)),
            ),
          )
        ),
      ),
  });
}

/** Features per language and layer; each number leads to them. */
function LanguageTable({ overview: { languages, layers } }: { readonly overview: Overview }) {
  const most = Math.max(1, ...languages.flatMap(({ featuresPerLayer }) => featuresPerLayer));
  return h(
    "div",
    { class: "wide", tabIndex: 0, role: "region", "aria-labelledby": "per-layer" },
    h(
      "table",
      { class: "heat" },
      h(
        "caption",
        { id: "per-layer" },
        "Features that belong to a language, per layer. Choose a number to see them.",
      ),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col" }, "Language"),
          layers.map(({ layer, hookpoint }) =>
            h(
              "th",
              { key: layer, scope: "col", class: "number", title: visibleText(hookpoint) },
              `L${layer}`,
            )
          ),
          h("th", { scope: "col", class: "number" }, "all"),
          h("th", { scope: "col", class: "number" }, "texts"),
          h("th", { scope: "col", class: "number" }, "tokens"),
        ),
      ),
      h(
        "tbody",
        null,
        languages.map((language) => h(LanguageRow, { key: language.name, language, layers, most })),
      ),
    ),
  );
}

function LanguageRow(
  { language, layers, most }: {
    readonly language: LanguageInfo;
    readonly layers: Overview["layers"];
    readonly most: number;
  },
) {
  const { name, features, featuresPerLayer, texts, tokens } = language;
  const list = { page: "features", language: name, identified: true, offset: 0 } as const;
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, h(Link, { to: list }, visibleText(name))),
    layers.map(({ layer }, i) => {
      const count = featuresPerLayer[i];
      const title = `${quantityText(count, "feature")} of ${visibleText(name)} in layer ${layer}`;
      return h(
        "td",
        { key: layer, class: `number a${shade(count, most)}` },
        count > 0 ? h(Link, { to: { ...list, layer }, title }, countText(count)) : "·",
      );
    }),
    h("td", { class: "number" }, countText(features)),
    h("td", { class: "number quiet" }, countText(texts)),
    h("td", { class: "number quiet" }, countText(tokens)),
  );
}
