/** What the results are about: languages by layers. */
import { h } from "preact";
import { countText, quantityText } from "../../report/numbers.ts";
import { visibleText } from "../../report/visible_text.ts";
import type { LanguageInfo, Overview } from "../backend.ts";
import { useAnswer } from "./answers.ts";
import { shade } from "./coloured_text.ts";
import { Link } from "./link.ts";
import { Answered, Page } from "./page.ts";

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
      `${quantityText(latents, "latent")} of ${visibleText(sae)} SAEs in ${
        quantityText(layers.length, "layer")
      } of `,
      `the model ${visibleText(model)}, read on ${visibleText(corpus)} in `,
      `${quantityText(languages.length, "language")}.`,
    ),
    h(LanguageTable, { overview }),
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
            h("th", { key: layer, scope: "col", class: "number", title: hookpoint }, `L${layer}`)
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
      const title = `${quantityText(count, "feature")} of ${name} in layer ${layer}`;
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
