/** Writes down what a backend answers, so that a folder of files can answer it too. */
import type { Backend, Context, FeatureSummary, Overview } from "../explore/backend.ts";
import type { SiteFeature } from "./engine_files.ts";
import {
  FIRST_CONTEXTS,
  LATENTS_TOGETHER,
  LIST_PAGE,
  ORDERS,
  PATHS,
  type SiteOverview,
  type StoredArticle,
  type StoredContexts,
  type StoredLatents,
} from "./layout.ts";
import {
  type LanguageNames,
  storeActivations,
  storeContext,
  type StoredActivations,
  type StoredDetail,
  storeDetail,
  storeSummary,
} from "./stored.ts";
import { inOrder, latentNumber } from "./order.ts";
import { WordIndex } from "./word_index.ts";

/** What is written down. */
export interface RecordOptions {
  /** Latents that belong to no language too. */
  readonly allLatents: boolean;
  /** Contexts per language of a language-specific feature. */
  readonly contexts: number;
  /** Whether the site has the model; else why not, in a sentence. */
  readonly live: true | string;
}

/** Contexts of other latents: of the languages in which they are most probable, so many of each. */
const OTHERS = { languages: 4, contexts: 2 };

/** Writes a file of the site. */
export type WriteFile = (path: string, content: string) => Promise<void>;

/** What a record is told while it is made. */
export type RecordProgress = (latents: number, total: number) => void;

/**
 * Asks a backend for everything that the site shows, and writes it as the site's files.
 *
 * @returns the language-specific features, for the engine
 */
export async function record(
  backend: Backend,
  write: WriteFile,
  options: RecordOptions,
  progress: RecordProgress = () => {},
): Promise<SiteFeature[]> {
  return await new Recorder(backend, await backend.overview(), write, options).run(progress);
}

class Recorder {
  readonly #names: LanguageNames;
  readonly #words = new WordIndex();
  readonly #features: SiteFeature[] = [];
  /** Texts of the articles, by id. */
  readonly #articles = new Map<string, StoredArticle[]>();

  constructor(
    readonly backend: Backend,
    readonly overview: Overview,
    readonly writeFile: WriteFile,
    readonly options: RecordOptions,
  ) {
    this.#names = overview.languages.map(({ name }) => name);
  }

  async run(progress: RecordProgress): Promise<SiteFeature[]> {
    const { allLatents } = this.options;
    const identified = await this.#list({ identified: true });
    const latents = allLatents ? await this.#list({}) : identified;
    await this.#write(PATHS.identified, identified.map((one) => storeSummary(one, this.#names)));
    if (allLatents) await this.#writeLists(latents);
    let done = 0;
    for (const together of groupsOf(latents)) {
      await this.#recordTogether(together);
      progress(done += together.length, latents.length);
    }
    for (const [number, { id }] of this.overview.articles.entries()) {
      await this.#write(PATHS.article(number), this.#articles.get(id) ?? []);
    }
    for (const [number, file] of this.#words.files().entries()) {
      await this.#write(PATHS.search(number), file);
    }
    const overview = { ...this.overview, live: this.options.live };
    await this.#write(PATHS.overview, { overview, allLatents } satisfies SiteOverview);
    return this.#features;
  }

  async #list(query: { readonly identified?: boolean }): Promise<FeatureSummary[]> {
    const all: FeatureSummary[] = [];
    for (;;) {
      const { total, features } = await this.backend.features({
        ...query,
        ...{ order: "index", offset: all.length, limit: LIST_PAGE },
      });
      all.push(...features);
      if (all.length >= total || features.length === 0) return all;
    }
  }

  async #writeLists(latents: readonly FeatureSummary[]): Promise<void> {
    const layers = this.overview.layers.map(({ layer }) => layer);
    for (const layer of [undefined, ...layers]) {
      const within = latents.filter((latent) => layer === undefined || latent.layer === layer);
      for (const order of ORDERS) {
        const ordered = inOrder(within, order);
        for (let page = 0; page * LIST_PAGE < ordered.length; page++) {
          const part = ordered.slice(page * LIST_PAGE, (page + 1) * LIST_PAGE);
          const stored = part.map((latent) => storeSummary(latent, this.#names));
          await this.#write(PATHS.list(layer, order, page), stored);
        }
      }
    }
  }

  async #recordTogether(together: readonly FeatureSummary[]): Promise<void> {
    const file: Record<string, { detail: StoredDetail; contexts?: StoredContexts }> = {};
    for (const { layer, index } of together) {
      const detail = await this.backend.feature(layer, index);
      const stored = storeDetail(detail, this.#names);
      const { languages, max, explanation, topTokens, outputTokens } = detail;
      const texts = [explanation ?? "", ...topTokens, ...outputTokens.map(({ text }) => text)];
      file[index] = { detail: stored };
      if (languages.length > 0) {
        this.#features.push({ layer, index, languages, max });
        texts.push(...await this.#recordContexts(layer, index));
        await this.#recordArticles(layer, index);
      } else {
        const contexts = await this.#someContexts(layer, index, stored);
        file[index] = { detail: stored, contexts: byLanguage(contexts, OTHERS.contexts) };
        texts.push(...textsOf(contexts));
      }
      this.#words.add(latentNumber(this.overview, { layer, index }), texts);
    }
    const [{ layer, index }] = together;
    await this.#write(PATHS.latents(layer, index), file satisfies StoredLatents);
  }

  /** @returns the contexts' texts */
  async #recordContexts(layer: number, index: number): Promise<string[]> {
    const contexts = new Map<number, readonly Context[]>();
    for (const number of this.#names.keys()) {
      const found = await this.#contexts(layer, index, number, this.options.contexts);
      if (found.length === 0) continue;
      contexts.set(number, found);
      if (found.length <= FIRST_CONTEXTS) continue;
      await this.#write(PATHS.contextsOf(layer, index, number), found.map(storeContext));
    }
    await this.#write(PATHS.contexts(layer, index), byLanguage(contexts, FIRST_CONTEXTS));
    return textsOf(contexts);
  }

  async #someContexts(
    layer: number,
    index: number,
    { perLanguage }: StoredDetail,
  ): Promise<Map<number, readonly Context[]>> {
    const numbers = [...perLanguage.keys()]
      .filter((number) => perLanguage[number][0] > 0)
      .sort((a, b) => perLanguage[b][0] - perLanguage[a][0])
      .slice(0, OTHERS.languages);
    const contexts = new Map<number, readonly Context[]>();
    for (const number of numbers) {
      contexts.set(number, await this.#contexts(layer, index, number, OTHERS.contexts));
    }
    return contexts;
  }

  async #contexts(layer: number, index: number, number: number, limit: number) {
    const part = { offset: 0, limit };
    return (await this.backend.contexts(layer, index, this.#names[number], part)).contexts;
  }

  /** The activations on all articles; their texts are the same for every feature. */
  async #recordArticles(layer: number, index: number): Promise<void> {
    if (this.overview.articles.length === 0) return;
    const firings: StoredActivations[][] = [];
    for (const { id } of this.overview.articles) {
      const contexts = await this.backend.article(layer, index, id);
      if (!this.#articles.has(id)) {
        this.#articles.set(
          id,
          contexts.map(({ language, label, pieces }) =>
            [this.#names.indexOf(language), label, pieces.map(({ text }) => text)] as const
          ),
        );
      }
      firings.push(contexts.map(({ pieces }) => storeActivations(pieces)));
    }
    await this.#write(PATHS.firings(layer, index), firings);
  }

  async #write(path: string, value: unknown): Promise<void> {
    await this.writeFile(path, JSON.stringify(value));
  }
}

/** Runs of latents, in order of layer and index, whose pages share a file. */
function groupsOf(latents: readonly FeatureSummary[]): FeatureSummary[][] {
  const fileOf = ({ layer, index }: FeatureSummary) =>
    `${layer}/${Math.floor(index / LATENTS_TOGETHER)}`;
  return [...Map.groupBy(latents, fileOf).values()];
}

function byLanguage(
  contexts: ReadonlyMap<number, readonly Context[]>,
  first: number,
): StoredContexts {
  return Object.fromEntries(
    [...contexts].map(([number, all]) =>
      [number, [all.length, all.slice(0, first).map(storeContext)]] as const
    ),
  );
}

function textsOf(contexts: ReadonlyMap<number, readonly Context[]>): string[] {
  return [...contexts.values()].flat().map(({ pieces }) => pieces.map(({ text }) => text).join(""));
}
