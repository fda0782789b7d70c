/** The texts on which a latent fires strongest, language by language. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { countText, decimalText } from "../../report/numbers.ts";
import { visibleText } from "../../report/visible_text.ts";
import type { Context, LanguageInfo } from "../backend.ts";
import { useAnswer } from "./answers.ts";
import { ColouredText } from "./coloured_text.ts";
import type { FeatureSection } from "./feature_page.ts";
import { Link } from "./link.ts";
import { Answered } from "./page.ts";

/** Languages shown when none is chosen, and contexts of each. */
const SOME = { languages: 4, contexts: 5 };
/** Contexts of a chosen language that are shown at once. */
const PART = 20;
/** Contexts that can be had. */
const MOST = 200;

/** Contexts of the chosen language, or some of those in which it fires most often. */
export function ContextsSection({ route, feature, overview }: FeatureSection) {
  const infoOf = (name: string) => overview.languages.find((language) => language.name === name);
  const shown = route.language === undefined
    ? mainLanguages(feature).map((name) => infoOf(name))
    : [infoOf(route.language)];
  const known = shown.filter((language) => language !== undefined);
  return h(
    "section",
    null,
    h("h2", null, "Strongest contexts"),
    known.length === 0 && h("p", { class: "quiet" }, "It fires on none of the texts."),
    known.map((language) =>
      h(LanguageContexts, {
        key: `${language.name} ${route.language === undefined}`,
        route,
        feature,
        language,
        part: route.language === undefined ? SOME.contexts : PART,
      })
    ),
  );
}

/** Its own languages, then those in which it fires most often. */
function mainLanguages({ languages, perLanguage }: FeatureSection["feature"]): string[] {
  const often = perLanguage.filter(({ probability }) => probability > 0)
    .toSorted((a, b) => b.probability - a.probability)
    .map(({ language }) => language);
  return [...new Set([...languages, ...often])].slice(
    0,
    Math.max(SOME.languages, languages.length),
  );
}

function LanguageContexts(
  { route, feature, language, part }: Omit<FeatureSection, "overview"> & {
    readonly language: LanguageInfo;
    readonly part: number;
  },
) {
  const { layer, index, max } = feature;
  const [limit, setLimit] = useState(part);
  const state = useAnswer("contexts", layer, index, language.name, { offset: 0, limit });
  const only = route.language !== undefined;
  const show = ({ total, contexts }: { total: number; contexts: readonly Context[] }) => [
    total === 0 && h("p", { class: "quiet" }, "No text is kept on which it fires."),
    h(
      "ol",
      { class: "contexts" },
      contexts.map((context, i) => h(ContextItem, { key: i, context, max, language })),
    ),
    total > contexts.length && h(Rest, { total, only, limit, setLimit, route, language }),
  ];
  return h(
    "section",
    { class: "language" },
    h("h3", null, visibleText(language.name)),
    h(Answered<{ total: number; contexts: readonly Context[] }>, { state, show }),
  );
}

/** The way to further contexts: of the chosen language here, of another on its own. */
function Rest(
  { total, only, limit, setLimit, route, language }: {
    readonly total: number;
    readonly only: boolean;
    readonly limit: number;
    readonly setLimit: (limit: number) => void;
    readonly route: FeatureSection["route"];
    readonly language: LanguageInfo;
  },
) {
  if (!only) {
    return h(
      Link,
      { to: { ...route, language: language.name }, class: "more" },
      `All ${countText(total)} in ${visibleText(language.name)}`,
    );
  }
  if (limit >= MOST) return h("p", { class: "quiet" }, `The strongest of ${countText(total)}.`);
  const more = () => setLimit(Math.min(MOST, limit + PART));
  return h("button", { type: "button", onClick: more }, `More of ${countText(total)}`);
}

/** A context with its place and its strongest activation. */
export function ContextItem(
  { context, max, language }: {
    readonly context: Context;
    readonly max: number;
    readonly language: LanguageInfo | undefined;
  },
) {
  return h(
    "li",
    null,
    h(ColouredText, { pieces: context.pieces, max, language }),
    h(
      "small",
      { class: "from" },
      visibleText(context.label),
      " · ",
      h("span", { title: "strongest activation" }, decimalText(context.max, 2)),
    ),
  );
}
