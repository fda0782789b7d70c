/// <reference lib="dom" />
/** The explorer: its navigation, and the page of the visitor's address. */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Address } from "./address.ts";
import { type Answers, AnswersContext } from "./answers.ts";
import { FeaturePage } from "./feature_page.ts";
import { FeaturesPage } from "./features_page.ts";
import { AddressContext, Link } from "./link.ts";
import { OverviewPage } from "./overview_page.ts";
import { Page } from "./page.ts";
import { type Route, STEERING } from "./route.ts";
import { SteerPage } from "./steer_page.ts";
import { TryPage } from "./try_page.ts";

/** All pages. */
export function Explorer(
  { answers, address }: { readonly answers: Answers; readonly address: Address },
) {
  const route = useRoute(answers, address);
  return h(
    AddressContext.Provider,
    { value: address },
    h(
      AnswersContext.Provider,
      { value: answers },
      h("a", { class: "skip", href: "#main", onClick: toMain }, "Skip to the page"),
      h(Navigation, { route }),
      h(CurrentPage, { route }),
    ),
  );
}

const PAGES: readonly (readonly [name: string, to: Route])[] = [
  ["Overview", { page: "overview" }],
  ["Features", { page: "features", identified: true, offset: 0 }],
  ["Try a text", { page: "try", text: "" }],
  ["Steer", { page: "steer", ...STEERING }],
];

function Navigation({ route }: { readonly route: Route }) {
  const here = route.page === "feature" ? "features" : route.page;
  return h(
    "header",
    { class: "top" },
    h("span", { class: "brand" }, "babelscope"),
    h(
      "nav",
      { "aria-label": "Pages" },
      PAGES.map(([name, to]) => h(Link, { key: name, to, current: to.page === here }, name)),
    ),
  );
}

function CurrentPage({ route }: { readonly route: Route }) {
  switch (route.page) {
    case "overview":
      return h(OverviewPage, null);
    case "features":
      return h(FeaturesPage, { route });
    case "feature":
      return h(FeaturePage, { route, key: `${route.layer} ${route.index}` });
    case "try":
      return h(TryPage, { route });
    case "steer":
      return h(SteerPage, { route });
    case "unknown":
      return h(Page, { title: "No such page" }, h("p", null, "There is nothing at this address."));
  }
}

/** The route, followed as it changes; the heading of a page that is new gets the focus. */
function useRoute(answers: Answers, address: Address): Route {
  const [route, setRoute] = useState(() => address.current());
  useEffect(() =>
    address.listen(() => {
      answers.forgetProblems();
      setRoute(address.current());
    }), [address, answers]);
  const place = route.page === "feature" ? `${route.layer} ${route.index}` : route.page;
  const [shown, setShown] = useState(place);
  useEffect(() => {
    if (place === shown) return;
    setShown(place);
    document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [place, shown]);
  useEffect(() => {
    document.title = `${titleOf(route)} – babelscope`;
  }, [route]);
  return route;
}

/** What the window is called. */
export function titleOf(route: Route): string {
  switch (route.page) {
    case "overview":
      return "Overview";
    case "features":
      return "Features";
    case "feature":
      return `Layer ${route.layer}, latent ${route.index}`;
    case "try":
      return "Try a text";
    case "steer":
      return "Steer";
    case "unknown":
      return "No such page";
  }
}

function toMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("h1")?.focus();
}
