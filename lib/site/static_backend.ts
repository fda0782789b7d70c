/** The explorer's answers from the files of a site, and from a model in the visitor's browser. */
import type {
  Backend,
  Context,
  FeatureDetail,
  FeatureList,
  FeatureQuery,
  FeatureSummary,
  Overview,
  Steered,
  SteerRequest,
  Tried,
} from "../explore/backend.ts";
import type { LatentSteering } from "../explore/live/visitor_runs.ts";
import {
  type LatentNumbers,
  LIST_PAGE,
  type Order,
  PATHS,
  type SearchFile,
  type SiteOverview,
  type StoredArticle,
  type StoredContexts,
  type StoredFirings,
  type StoredLatents,
} from "./layout.ts";
import { latentAt, latentNumber, latentsOf, readNumbers } from "./latent_numbers.ts";
import { inOrder } from "./order.ts";
import {
  readContext,
  readDetail,
  readSummary,
  type StoredContext,
  type StoredSummary,
  type StoredText,
} from "./stored.ts";
import { searchWords } from "./word_index.ts";

/** The value of a JSON file of the site; rejects in a sentence when it cannot be had. */
export type ReadJson = (path: string) => Promise<unknown>;

/** The model, wherever it runs; see `Engine`. */
export interface LiveModel {
  /** @param signal of a visitor who is gone */
  tryText(text: string, signal?: AbortSignal): Promise<Tried>;
  steer(
    request: LatentSteering,
    progress: (tokens: number) => void,
    signal?: AbortSignal,
  ): Promise<Steered>;
}

/** Files kept in memory; the oldest go. */
const KEPT = 200;

/** Answers from files. */
export class StaticBackend implements Backend {
  readonly #read: ReadJson;
  readonly #live: LiveModel | string;
  readonly #files = new Map<string, Promise<unknown>>();

  /**
   * @param read of the site's files
   * @param live the model; a sentence on why there is none
   */
  constructor(read: ReadJson, live: LiveModel | string) {
    this.#read = read;
    this.#live = live;
  }

  async overview(): Promise<Overview> {
    const { overview } = await this.#site();
    // Where the site has no model, that is the better reason.
    const live = overview.live === true && typeof this.#live === "string"
      ? this.#live
      : overview.live;
    return { ...overview, live };
  }

  async features(query: FeatureQuery): Promise<FeatureList> {
    const { overview, allLatents } = await this.#site();
    const { text = "", language, layer, order = "entropy", offset, limit } = query;
    const identified = query.identified || (language !== undefined && !allLatents);
    if (!identified && !allLatents) throw new Error(ONLY_IDENTIFIED);
    if (!identified && text === "" && language === undefined) {
      return await this.#page(overview, layer, order, offset, limit);
    }
    const found = text === ""
      ? undefined
      : await searchWords(text, (file) => this.#file<SearchFile>(PATHS.search(file)));
    const own = language === undefined
      ? undefined
      : await this.#ofLanguage(overview, language, !identified);
    const wanted = found && own ? found.intersection(own) : found ?? own;
    const candidates = identified
      ? await this.#identified(overview)
      : await this.#latents(overview, wanted ?? []);
    const fitting = candidates.filter((latent) =>
      (layer === undefined || latent.layer === layer) &&
      (wanted === undefined || wanted.has(latentNumber(overview, latent)))
    );
    const features = inOrder(fitting, order).slice(offset, offset + limit);
    return { total: fitting.length, features };
  }

  async feature(layer: number, index: number): Promise<FeatureDetail> {
    const { overview } = await this.#site();
    const { detail } = await this.#latent(layer, index);
    return readDetail(detail, namesOf(overview));
  }

  async contexts(
    layer: number,
    index: number,
    language: string,
    { offset, limit }: { readonly offset: number; readonly limit: number },
  ): Promise<{ total: number; contexts: Context[] }> {
    const { overview } = await this.#site();
    const number = namesOf(overview).indexOf(language);
    const { contexts } = await this.#latent(layer, index);
    const known = contexts ?? await this.#file<StoredContexts>(PATHS.contexts(layer, index));
    const all = known[number] ?? [];
    const shown = await Promise.all(
      all.slice(offset, offset + limit).map(async ([text, activations]) =>
        readContext(language, await this.#text(text, number), activations)
      ),
    );
    return { total: all.length, contexts: shown };
  }

  async article(layer: number, index: number, article: string): Promise<Context[]> {
    const { overview } = await this.#site();
    const number = overview.articles.findIndex(({ id }) => id === article);
    if (number < 0) throw new Error("There is no such article here.");
    const { contexts } = await this.#latent(layer, index);
    if (contexts) throw new Error(ARTICLES_OF_IDENTIFIED);
    const texts = await this.#file<readonly StoredArticle[]>(PATHS.article(number));
    const firings = await this.#file<StoredFirings>(PATHS.firings(layer, index));
    const names = namesOf(overview);
    return texts.map(([language, text], i) =>
      readContext(names[language], text, firings[number][i])
    );
  }

  async tryText(text: string, signal?: AbortSignal): Promise<Tried> {
    const model = await this.#model();
    return await model.tryText(text, signal);
  }

  async steer(
    { features, ...request }: SteerRequest,
    progress: (tokens: number) => void,
    signal?: AbortSignal,
  ): Promise<Steered> {
    const model = await this.#model();
    const latents = await Promise.all(features.map(async ({ layer, index, strength }) => {
      const { detail } = await this.#latent(layer, index);
      return { layer, index, activation: strength * detail.max };
    }));
    return await model.steer({ ...request, latents }, progress, signal);
  }

  async #model(): Promise<LiveModel> {
    const { live } = await this.overview();
    if (live === true && typeof this.#live !== "string") return this.#live;
    throw new Error(String(live));
  }

  #site(): Promise<SiteOverview> {
    return this.#file(PATHS.overview);
  }

  async #latent(layer: number, index: number) {
    const { overview, allLatents } = await this.#site();
    const there = overview.layers.some((one) => one.layer === layer && index < one.latents);
    if (!there) throw new Error(`There is no latent ${index} of layer ${layer} here.`);
    if (!allLatents) {
      const identified = await this.#identified(overview);
      const known = identified.some((one) => one.layer === layer && one.index === index);
      if (!known) throw new Error(ONLY_IDENTIFIED);
    }
    return (await this.#file<StoredLatents>(PATHS.latents(layer, index)))[index];
  }

  async #text(text: StoredContext[0], language: number): Promise<StoredText> {
    if (typeof text !== "number") return text;
    return (await this.#file<readonly StoredText[]>(PATHS.texts(language)))[text];
  }

  async #identified(overview: Overview): Promise<FeatureSummary[]> {
    const stored = await this.#file<readonly StoredSummary[]>(PATHS.identified);
    return stored.map((one) => readSummary(one, namesOf(overview)));
  }

  /** Numbers of a language's own latents, and of those that fire most often in it. */
  async #ofLanguage(overview: Overview, language: string, strongest: boolean) {
    const identified = await this.#identified(overview);
    const own = identified.filter(({ languages }) => languages.includes(language))
      .map((latent) => latentNumber(overview, latent));
    const place = namesOf(overview).indexOf(language);
    if (!strongest || place < 0) return new Set(own);
    const numbers = await this.#file<LatentNumbers>(PATHS.strongest(place));
    return new Set([...own, ...readNumbers(numbers)]);
  }

  /** Latents, those with these numbers among them. */
  async #latents(overview: Overview, numbers: Iterable<number>): Promise<FeatureSummary[]> {
    const pages = new Map<string, Promise<readonly StoredSummary[]>>();
    for (const number of numbers) {
      const { layer, index } = latentAt(overview, number);
      const path = PATHS.list(layer, "index", Math.floor(index / LIST_PAGE));
      pages.set(path, this.#file<readonly StoredSummary[]>(path));
    }
    const stored = (await Promise.all(pages.values())).flat();
    return stored.map((one) => readSummary(one, namesOf(overview)));
  }

  async #page(
    overview: Overview,
    layer: number | undefined,
    order: Order,
    offset: number,
    limit: number,
  ): Promise<FeatureList> {
    const layers = overview.layers.filter((one) => layer === undefined || one.layer === layer);
    const total = latentsOf(layers);
    const end = Math.min(total, offset + limit);
    const stored: StoredSummary[] = [];
    for (let page = Math.floor(offset / LIST_PAGE); page * LIST_PAGE < end; page++) {
      stored.push(...await this.#file<readonly StoredSummary[]>(PATHS.list(layer, order, page)));
    }
    const first = offset % LIST_PAGE;
    const features = stored.slice(first, first + Math.max(0, end - offset))
      .map((one) => readSummary(one, namesOf(overview)));
    return { total, features };
  }

  #file<T>(path: string): Promise<T> {
    const known = this.#files.get(path);
    if (known) return known as Promise<T>;
    const file = this.#read(path);
    this.#files.set(path, file);
    // What failed is asked for again.
    file.catch(() => this.#files.delete(path));
    const [oldest] = this.#files.keys();
    if (this.#files.size > KEPT) this.#files.delete(oldest);
    return file as Promise<T>;
  }
}

const ONLY_IDENTIFIED =
  "Only language-specific features are recorded on this site: choose among them, or run babelscope explore.";

const ARTICLES_OF_IDENTIFIED =
  "Articles are recorded for language-specific features only: run babelscope explore to see others.";

function namesOf({ languages }: Overview): string[] {
  return languages.map(({ name }) => name);
}
