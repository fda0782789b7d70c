/** Where a visitor is: every page has an address that can be shared. */
import type { FeatureQuery, SteerRequest } from "../backend.ts";

/** Which features a list shows. */
export interface ListRoute extends Omit<FeatureQuery, "offset" | "limit"> {
  readonly page: "features";
  /** Features before the first one shown. */
  readonly offset: number;
}

/** A latent's page. */
export interface FeatureRoute {
  readonly page: "feature";
  readonly layer: number;
  readonly index: number;
  /** The one whose contexts are shown; some of each if not given. */
  readonly language?: string;
  /** The one that is shown in all languages. */
  readonly article?: string;
}

/** A text to be written. */
export interface SteerRoute extends SteerRequest {
  readonly page: "steer";
}

/** A page and what it shows. */
export type Route =
  | { readonly page: "overview" }
  | ListRoute
  | FeatureRoute
  | { readonly page: "try"; readonly text: string }
  | SteerRoute
  | { readonly page: "unknown"; readonly path: string };

const ORDERS = ["entropy", "probability", "index"] as const;

/** What a visitor writes with when nothing else is said. */
export const STEERING = {
  prompt: "",
  features: [],
  maxNewTokens: 40,
  temperature: 0,
  seed: 0,
} as const satisfies SteerRequest;

/**
 * The page of an address such as `/feature/3/1948?language=German`. What it does not understand of the
 * part behind the question mark is left out.
 */
export function parseRoute(address: string): Route {
  const [path, search = ""] = address.split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const text = (name: string) => query.get(name) ?? undefined;
  const [, first, ...rest] = path.split("/");
  if (first === "feature" && rest.length === 2) {
    const [layer, index] = rest.map(wholeNumber);
    if (layer === undefined || index === undefined) return { page: "unknown", path };
    return { page: "feature", layer, index, language: text("language"), article: text("article") };
  }
  if (rest.length > 0) return { page: "unknown", path };
  switch (first) {
    case "":
    case undefined:
      return { page: "overview" };
    case "features":
      return {
        page: "features",
        text: text("text"),
        language: text("language"),
        layer: wholeNumber(text("layer")),
        identified: query.get("all") === null ? true : undefined,
        order: ORDERS.find((order) => order === query.get("order")),
        offset: wholeNumber(text("from")) ?? 0,
      };
    case "try":
      return { page: "try", text: text("text") ?? "" };
    case "steer":
      return steerRoute(query);
    default:
      return { page: "unknown", path };
  }
}

/** The address of a page; {@linkcode parseRoute} reads it. */
export function formatRoute(route: Route): string {
  switch (route.page) {
    case "overview":
      return "/";
    case "features": {
      const { text, language, layer, identified, order, offset } = route;
      const all = identified ? undefined : "";
      return withQuery("/features", {
        text,
        language,
        layer,
        all,
        order,
        from: offset || undefined,
      });
    }
    case "feature": {
      const { layer, index, language, article } = route;
      return withQuery(`/feature/${layer}/${index}`, { language, article });
    }
    case "try":
      return withQuery("/try", { text: route.text || undefined });
    case "steer": {
      const { prompt, features, maxNewTokens, temperature, seed } = route;
      const changed = <K extends "maxNewTokens" | "temperature" | "seed">(key: K, value: number) =>
        value === STEERING[key] ? undefined : value;
      return withQuery("/steer", {
        features: features.map(({ layer, index, strength }) => `${layer}.${index}:${strength}`)
          .join(",") || undefined,
        prompt: prompt || undefined,
        tokens: changed("maxNewTokens", maxNewTokens),
        temperature: changed("temperature", temperature),
        seed: changed("seed", seed),
      });
    }
    case "unknown":
      return route.path;
  }
}

function steerRoute(query: URLSearchParams): SteerRoute {
  const number = (name: string, otherwise: number) => {
    const value = Number(query.get(name) ?? NaN);
    return Number.isFinite(value) ? value : otherwise;
  };
  const features = (query.get("features") ?? "").split(",").flatMap((part) => {
    const match = /^(\d{1,9})\.(\d{1,9}):(-?\d+(?:\.\d+)?)$/.exec(part);
    if (!match) return [];
    const [layer, index, strength] = match.slice(1).map(Number);
    return [{ layer, index, strength }];
  });
  return {
    page: "steer",
    features,
    prompt: query.get("prompt") ?? STEERING.prompt,
    maxNewTokens: number("tokens", STEERING.maxNewTokens),
    temperature: number("temperature", STEERING.temperature),
    seed: number("seed", STEERING.seed),
  };
}

function withQuery(
  path: string,
  values: Readonly<Record<string, string | number | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) query.set(name, String(value));
  }
  const search = query.toString();
  return search === "" ? path : `${path}?${search}`;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
