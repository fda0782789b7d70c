/** How often and how strongly a latent fires in each language. */
import { h } from "preact";
import { decimalText, percentText } from "../../report/numbers.ts";
import { visibleText } from "../../report/visible_text.ts";
import { Bar, Columns } from "./bar.ts";
import type { FeatureSection } from "./feature_page.ts";
import { Link } from "./link.ts";

/** Languages by how often it fires there; choosing one shows its contexts. */
export function LanguagesTable({ route, feature }: FeatureSection) {
  const { perLanguage, histogram, languages: own } = feature;
  const highest = Math.max(
    ...perLanguage.map(({ probability, interval }) => Math.max(probability, interval?.[1] ?? 0)),
    1e-9,
  );
  const most = Math.max(1, ...histogram.counts.flatMap(({ tokens }) => tokens));
  const columns = new Map(histogram.counts.map(({ language, tokens }) => [language, tokens]));
  const rows = perLanguage.toSorted((a, b) => b.probability - a.probability);
  const { language: chosen, ...all } = route;
  return h(
    "section",
    null,
    h("h2", { id: "by-language" }, "By language"),
    h(
      "table",
      { class: "languages", "aria-labelledby": "by-language" },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col" }, chosen ? h(Link, { to: all, stay: true }, "all") : "Language"),
          h("th", { scope: "col", colSpan: 2 }, "Fires on tokens"),
          h("th", { scope: "col", class: "number", title: "of activations above 0" }, "Mean"),
          h(
            "th",
            {
              scope: "col",
              title: `tokens by activation, from 0 to ${
                decimalText(feature.max, 2)
              }; the height is logarithmic`,
            },
            "Histogram",
          ),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map(({ language, probability, interval, mean, max }) => {
          const counts = columns.get(language) ?? [];
          return h(
            "tr",
            { key: language, class: own.includes(language) ? "own" : undefined },
            h(
              "th",
              { scope: "row" },
              h(
                Link,
                { to: { ...route, language }, current: language === chosen, stay: true },
                visibleText(language),
              ),
            ),
            h("td", { class: "number" }, percentText(probability)),
            h(
              "td",
              {
                class: "bars",
                title: interval
                  ? `95 % interval ${percentText(interval[0])} to ${percentText(interval[1])}`
                  : undefined,
              },
              h(Bar, {
                share: probability / highest,
                interval: interval?.map((p) => p / highest) as [number, number] | undefined,
              }),
            ),
            h(
              "td",
              { class: "number", title: `largest ${decimalText(max, 2)}` },
              probability > 0 ? decimalText(mean, 2) : "–",
            ),
            h(
              "td",
              null,
              counts.some((count) => count > 0) &&
                h(Columns, {
                  counts,
                  most,
                  title: `${visibleText(language)}: largest ${decimalText(max, 2)}`,
                }),
            ),
          );
        }),
      ),
    ),
  );
}
