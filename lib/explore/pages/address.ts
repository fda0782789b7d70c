/// <reference lib="dom" />
/** Where the route stands in the address bar: in the path, or behind # where no server answers paths. */
import { formatRoute, parseRoute, type Route } from "./route.ts";

/** The visitor's place, and how to go to another. */
export interface Address {
  current(): Route;
  /** For links, which then work without a script too. */
  href(route: Route): string;
  /** @param replace without a new entry in the history: for what is being typed */
  go(route: Route, replace?: boolean): void;
  /** @returns what ends it */
  listen(changed: () => void): () => void;
}

/** Routes as paths, as a server answers them. */
export function pathAddress(): Address {
  const changes = new EventTarget();
  return {
    current: () => parseRoute(location.pathname + location.search),
    href: formatRoute,
    go(route, replace = false) {
      history[replace ? "replaceState" : "pushState"](null, "", formatRoute(route));
      if (!replace) scrollTo(0, 0);
      changes.dispatchEvent(new Event("change"));
    },
    listen: (changed) => listenTo([[changes, "change"], [globalThis, "popstate"]], changed),
  };
}

/** Routes behind #: on static hosting, also under a path of its own. */
export function hashAddress(): Address {
  const changes = new EventTarget();
  return {
    current: () => parseRoute(location.hash.slice(1) || "/"),
    href: (route) => `#${formatRoute(route)}`,
    go(route, replace = false) {
      history[replace ? "replaceState" : "pushState"](null, "", `#${formatRoute(route)}`);
      if (!replace) scrollTo(0, 0);
      changes.dispatchEvent(new Event("change"));
    },
    listen: (changed) =>
      listenTo(
        [[changes, "change"], [globalThis, "popstate"], [globalThis, "hashchange"]],
        changed,
      ),
  };
}

/** A page that is rendered once, on a server. */
export function fixedAddress(route: Route): Address {
  return { current: () => route, href: formatRoute, go() {}, listen: () => () => {} };
}

function listenTo(
  sources: readonly (readonly [EventTarget, string])[],
  changed: () => void,
): () => void {
  for (const [source, type] of sources) source.addEventListener(type, changed);
  return () => {
    for (const [source, type] of sources) source.removeEventListener(type, changed);
  };
}
