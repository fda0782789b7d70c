/// <reference lib="dom" />
/** One article in all languages, side by side, with what a latent does on it. */
import { h, type TargetedEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { decimalText } from "../../report/numbers.ts";
import { visibleText } from "../../report/visible_text.ts";
import type { Context, LanguageInfo } from "../backend.ts";
import { useAnswer } from "./answers.ts";
import { ColouredText } from "./coloured_text.ts";
import type { FeatureSection } from "./feature_page.ts";
import { useAddress } from "./link.ts";
import { Answered } from "./page.ts";

/** Chooses an article and shows it; asks for it when it comes into sight. */
export function ArticleSection({ route, feature, overview }: FeatureSection) {
  const { articles, languages } = overview;
  const address = useAddress();
  const section = useRef<HTMLElement>(null);
  const seen = useSeen(section, route.article !== undefined);
  const article = route.article ?? (articles.at(1) ?? articles[0]).id;
  return h(
    "section",
    { ref: section, class: "article" },
    h("h2", null, "The same text in all languages"),
    h(
      "label",
      null,
      "Article ",
      h(
        "select",
        {
          onChange: (event: TargetedEvent<HTMLSelectElement>) => {
            const { scrollX, scrollY } = globalThis;
            address.go({ ...route, article: event.currentTarget.value }, true);
            scrollTo(scrollX, scrollY);
          },
        },
        articles.map(({ id, title }) =>
          h("option", { key: id, value: id, selected: id === article }, visibleText(title))
        ),
      ),
    ),
    seen
      ? h(SideBySide, { feature, article, languages })
      : h("p", { class: "pending reserved" }, "…"),
  );
}

function SideBySide(
  { feature: { layer, index, max, languages: own }, article, languages }: {
    readonly feature: FeatureSection["feature"];
    readonly article: string;
    readonly languages: readonly LanguageInfo[];
  },
) {
  const state = useAnswer("article", layer, index, article);
  const show = (contexts: readonly Context[]) => {
    const inLanguage = Map.groupBy(contexts, ({ language }) => language);
    const order = languages.filter(({ name }) => inLanguage.has(name))
      .toSorted((a, b) => Number(own.includes(b.name)) - Number(own.includes(a.name)));
    return h(
      "ul",
      { class: "side-by-side" },
      order.map((language) => {
        const parts = inLanguage.get(language.name) ?? [];
        const strongest = Math.max(...parts.map((part) => part.max));
        return h(
          "li",
          { key: language.name },
          h(
            "h3",
            null,
            visibleText(language.name),
            h("small", null, strongest > 0 ? ` ${decimalText(strongest, 2)}` : " silent"),
          ),
          parts.map(({ pieces }, i) =>
            h("p", { key: i }, h(ColouredText, { pieces, max, language }))
          ),
        );
      }),
    );
  };
  return h(Answered<readonly Context[]>, { state, show });
}

/** Whether an element has been in sight, or nearly. */
function useSeen(element: { readonly current: Element | null }, at: boolean): boolean {
  const [seen, setSeen] = useState(at);
  useEffect(() => {
    if (seen || !element.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true);
      },
      { rootMargin: "400px" },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [seen, element]);
  return seen;
}
