/// <reference lib="dom" />
/** Lists of latents: filtered, searched, ordered. */
import { h, type TargetedEvent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { decimalText, percentText, quantityText } from "../../report/numbers.ts";
import { visibleText } from "../../report/visible_text.ts";
import type { FeatureList, FeatureQuery, FeatureSummary, Overview } from "../backend.ts";
import { useAnswer } from "./answers.ts";
import { Bar } from "./bar.ts";
import { TokenText } from "./coloured_text.ts";
import { Badges, FeatureLink } from "./feature_name.ts";
import { Link, useAddress } from "./link.ts";
import { Answered, Page } from "./page.ts";
import type { ListRoute } from "./route.ts";

/** Latents on one page. */
const PAGE = 50;
/** Milliseconds after the last key before the list follows. */
const PATIENCE = 250;

/** Something was chosen. */
type Selected = TargetedEvent<HTMLSelectElement>;

/** A list of latents. */
export function FeaturesPage({ route }: { readonly route: ListRoute }) {
  const { page: _, ...filter } = route;
  const overview = useAnswer("overview");
  const state = useAnswer("features", { ...filter, limit: PAGE });
  return h(
    Page,
    { title: "Features" },
    overview.answer && h(Filters, { route, overview: overview.answer }),
    h(Answered<FeatureList>, { state, show: (list) => h(Listing, { route, list }) }),
  );
}

/** The form above the list: it works without a script too. */
function Filters(
  { route, overview: { languages, layers } }: {
    readonly route: ListRoute;
    readonly overview: Overview;
  },
) {
  const address = useAddress();
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (changed: Partial<FeatureQuery>, patience = 0) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(
      () => address.go({ ...route, ...changed, offset: 0 }, true),
      patience,
    );
  };
  return h(
    "form",
    { class: "filters", role: "search", method: "get", action: "/features", onSubmit: stay },
    h(
      "label",
      { class: "grows" },
      "Search",
      h("input", {
        type: "search",
        name: "text",
        maxLength: 200,
        placeholder: "words in explanations, tokens and texts",
        value: route.text ?? "",
        onInput: (event) => change({ text: event.currentTarget.value || undefined }, PATIENCE),
      }),
    ),
    h(
      "label",
      null,
      "Language",
      h(
        "select",
        {
          name: "language",
          onChange: (event: Selected) =>
            change({ language: event.currentTarget.value || undefined }),
        },
        h("option", { value: "", selected: !route.language }, "any"),
        languages.map(({ name }) =>
          h(
            "option",
            { key: name, value: name, selected: name === route.language },
            visibleText(name),
          )
        ),
      ),
    ),
    h(
      "label",
      null,
      "Layer",
      h(
        "select",
        {
          name: "layer",
          onChange: (event: Selected) => {
            const { value } = event.currentTarget;
            change({ layer: value === "" ? undefined : Number(value) });
          },
        },
        h("option", { value: "", selected: route.layer === undefined }, "all"),
        layers.map(({ layer }) =>
          h("option", { key: layer, value: layer, selected: layer === route.layer }, layer)
        ),
      ),
    ),
    h(
      "label",
      null,
      "Order",
      h(
        "select",
        {
          name: "order",
          onChange: (event: Selected) =>
            change({ order: event.currentTarget.value as FeatureQuery["order"] }),
        },
        [["entropy", "lowest entropy"], ["probability", "most often"], ["index", "by place"]]
          .map(([value, name]) =>
            h("option", { key: value, value, selected: value === (route.order ?? "entropy") }, name)
          ),
      ),
    ),
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        name: "all",
        value: "",
        checked: !route.identified,
        onChange: (event) => change({ identified: event.currentTarget.checked ? undefined : true }),
      }),
      "also latents of no language",
    ),
    h("noscript", null, h("button", null, "Show")),
  );
}

function Listing({ route, list }: { readonly route: ListRoute; readonly list: FeatureList }) {
  const { total, features } = list;
  const { offset } = route;
  const most = Math.max(...features.map(({ probability }) => probability), 1e-9);
  return [
    h("p", { class: "count", role: "status" }, quantityText(total, "latent")),
    features.length > 0 && h(
      "div",
      { class: "wide", tabIndex: 0, role: "region", "aria-label": "Latents" },
      h(
        "table",
        { class: "features" },
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col" }, "Layer · latent"),
            h("th", { scope: "col" }, "Languages"),
            h(
              "th",
              { scope: "col", class: "number", title: "of its activation over languages" },
              "Entropy",
            ),
            h("th", { scope: "col", colSpan: 2 }, "Fires on tokens"),
            h("th", { scope: "col" }, "Explanation, or tokens it fires on most"),
          ),
        ),
        h(
          "tbody",
          null,
          features.map((feature) =>
            h(Row, {
              key: `${feature.layer} ${feature.index}`,
              feature,
              most,
              language: route.language,
            })
          ),
        ),
      ),
    ),
    h(
      "nav",
      { class: "pager", "aria-label": "Parts of the list" },
      offset > 0 &&
        h(Link, { to: { ...route, offset: Math.max(0, offset - PAGE) } }, "← before"),
      total > PAGE &&
        h(
          "span",
          null,
          `${offset + 1} to ${offset + features.length} of ${total.toLocaleString("en")}`,
        ),
      offset + PAGE < total && h(Link, { to: { ...route, offset: offset + PAGE } }, "next →"),
    ),
  ];
}

function Row(
  { feature, most, language }: {
    readonly feature: FeatureSummary;
    readonly most: number;
    readonly language: string | undefined;
  },
) {
  const { layer, index, languages, entropy, probability, explanation, topTokens } = feature;
  return h(
    "tr",
    null,
    h("td", null, h(FeatureLink, { layer, index, language })),
    h("td", null, h(Badges, { languages })),
    h("td", { class: "number" }, entropy === null ? "–" : decimalText(entropy, 2)),
    h("td", { class: "number" }, percentText(probability)),
    h("td", { class: "bars" }, h(Bar, { share: probability / most })),
    h(
      "td",
      { class: "said" },
      explanation !== null && h("p", { dir: "auto" }, visibleText(explanation)),
      topTokens.map((text, i) => h(TokenText, { key: i, text })),
    ),
  );
}

function stay(event: Event): void {
  event.preventDefault();
}
