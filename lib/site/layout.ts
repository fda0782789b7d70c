/**
 * Where the files of a site lie. Whatever a page shows is in a few small files, at any number of
 * latents; all are JSON.
 */
import type { FeatureQuery, Overview } from "../explore/backend.ts";
import type { StoredActivations, StoredContext, StoredDetail, StoredText } from "./stored.ts";

/** Latents of one page of a list. */
export const LIST_PAGE = 200;

/** Latents whose pages share a file. */
export const LATENTS_TOGETHER = 16;

/** Files of the search index. */
export const SEARCH_FILES = 128;

/** Characters of the texts of a language that latents share a file of; further ones lie with the latents. */
export const SHARED_CHARACTERS = 200_000;

/** An order of a list. */
export type Order = NonNullable<FeatureQuery["order"]>;

/** All of them. */
export const ORDERS: readonly Order[] = ["entropy", "probability", "index"];

/** The paths, below the root of the site. */
export const PATHS = {
  /** {@linkcode SiteOverview} */
  overview: "data/overview.json",
  /** `EngineFiles` */
  engine: "data/engine.json",
  /** `StoredSummary[]` of all language-specific features, by layer and index. */
  identified: "data/identified.json",
  /** `StoredSummary[]`, a page of all latents or of those of a layer. */
  list: (layer: number | undefined, order: Order, page: number) =>
    `data/lists/${layer ?? "all"}/${order}/${page}.json`,
  /** {@linkcode LatentNumbers} of those that fire most often in a language, whether theirs or not. */
  strongest: (language: number) => `data/strongest/${language}.json`,
  /** {@linkcode StoredLatents} */
  latents: (layer: number, index: number) =>
    `data/latents/${layer}/${Math.floor(index / LATENTS_TOGETHER)}.json`,
  /** {@linkcode StoredContexts} of a language-specific feature. */
  contexts: (layer: number, index: number) => `data/contexts/${layer}/${index}.json`,
  /** `StoredText[]`, texts that contexts are in. */
  texts: (language: number) => `data/texts/${language}.json`,
  /** {@linkcode StoredArticle}[], by the article's place in the overview. */
  article: (article: number) => `data/articles/${article}.json`,
  /** {@linkcode StoredFirings} of a language-specific feature. */
  firings: (layer: number, index: number) => `data/firings/${layer}/${index}.json`,
  /** {@linkcode SearchFile} */
  search: (file: number) => `data/search/${file}.json`,
} as const;

/** What a site is about, and what of it is there. */
export interface SiteOverview {
  /** Its `live` is what the recorded results say: true where a model lies in the site. */
  readonly overview: Overview;
  /** Whether latents that belong to no language are there too. */
  readonly allLatents: boolean;
}

/** Contexts of a latent by number of the language, strongest first. */
export type StoredContexts = Readonly<Record<string, readonly StoredContext[]>>;

/** Pages of neighbouring latents by index, and the contexts of those that belong to no language. */
export type StoredLatents = Readonly<
  Record<string, { readonly detail: StoredDetail; readonly contexts?: StoredContexts }>
>;

/** One language of an article. */
export type StoredArticle = readonly [language: number, text: StoredText];

/** A feature's activations by article and by the article's languages, as they lie in its file. */
export type StoredFirings = readonly (readonly StoredActivations[])[];

/**
 * Latents in ascending order, each as what is between it and the one before. A latent's number is its
 * index behind all latents of the layers before its own, in the order of the overview.
 */
export type LatentNumbers = readonly number[];

/** Latents by word. */
export type SearchFile = Readonly<Record<string, LatentNumbers>>;
