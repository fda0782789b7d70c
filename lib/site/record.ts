/** Writes down what a backend answers, so that a folder of files can answer it too. */
import type {
  Backend,
  Context,
  FeatureDetail,
  FeatureSummary,
  Overview,
} from "../explore/backend.ts";
import {
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
  type StoredActivations,
  type StoredDetail,
  storeDetail,
  storeSummary,
} from "./stored.ts";
import { latentNumber, storeNumbers } from "./latent_numbers.ts";
import { inOrder } from "./order.ts";
import { SharedTexts } from "./shared_texts.ts";
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

/** What is asked while a site is made. */
export type Recorded = Omit<Backend, "tryText" | "steer">;

/** Writes a file of the site. */
export type WriteFile = (path: string, content: string) => Promise<void>;

/** What a record is told while it is made. */
export type RecordProgress = (latents: number, total: number) => void;

/** Asks a backend for everything that the site shows, and writes it as the site's files. */
export async function record(
  backend: Recorded,
  write: WriteFile,
  options: RecordOptions,
  progress: RecordProgress = () => {},
): Promise<void> {
  await new Recorder(backend, await backend.overview(), write, options).run(progress);
}

/** Contexts of a latent by the language's place. */
type ContextsByLanguage = ReadonlyMap<number, readonly Context[]>;

class Recorder {
  readonly #names: LanguageNames;
  readonly #words = new WordIndex();
  /** Latents that fire most often in each language. */
  readonly #strongest: number[][];
  /** By language. */
  readonly #texts: SharedTexts[];
  /** Texts of the articles, by id. */
  readonly #articles = new Map<string, StoredArticle[]>();

  constructor(
    readonly backend: Recorded,
    readonly overview: Overview,
    readonly writeFile: WriteFile,
    readonly options: RecordOptions,
  ) {
    this.#names = overview.languages.map(({ name }) => name);
    this.#strongest = this.#names.map(() => []);
    this.#texts = this.#names.map(() => new SharedTexts());
  }

  async run(progress: RecordProgress): Promise<void> {
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
    for (const [language, { texts }] of this.#texts.entries()) {
      await this.#write(PATHS.texts(language), texts);
    }
    for (const [language, numbers] of this.#strongest.entries()) {
      await this.#write(PATHS.strongest(language), storeNumbers(numbers));
    }
    const overview = { ...this.overview, live: this.options.live };
    await this.#write(PATHS.overview, { overview, allLatents } satisfies SiteOverview);
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
      const { languages, explanation, topTokens, outputTokens } = detail;
      const fires = languagesBy(stored);
      let contexts: ContextsByLanguage;
      if (languages.length > 0) {
        contexts = await this.#contexts(layer, index, fires, this.options.contexts);
        file[index] = { detail: stored };
        await this.#write(PATHS.contexts(layer, index), this.#storeContexts(contexts));
        await this.#recordArticles(layer, index);
      } else {
        const some = fires.slice(0, OTHERS.languages);
        contexts = await this.#contexts(layer, index, some, OTHERS.contexts);
        file[index] = { detail: stored, contexts: this.#storeContexts(contexts) };
      }
      const number = latentNumber(this.overview, { layer, index });
      const tokens = [...topTokens, ...outputTokens.map(({ text }) => text)];
      this.#words.add(number, [explanation ?? "", ...tokens, ...textsOf(contexts)]);
      this.#strongest.at(strongestLanguage(detail))?.push(number);
    }
    const [{ layer, index }] = together;
    await this.#write(PATHS.latents(layer, index), file satisfies StoredLatents);
  }

  async #contexts(
    layer: number,
    index: number,
    languages: readonly number[],
    limit: number,
  ): Promise<ContextsByLanguage> {
    const contexts = new Map<number, readonly Context[]>();
    for (const language of languages) {
      const part = { offset: 0, limit };
      const found = await this.backend.contexts(layer, index, this.#names[language], part);
      contexts.set(language, found.contexts);
    }
    return contexts;
  }

  #storeContexts(contexts: ContextsByLanguage): StoredContexts {
    return Object.fromEntries(
      [...contexts].map(([language, all]) =>
        [language, all.map((context) => this.#texts[language].store(context))] as const
      ),
    );
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
            [this.#names.indexOf(language), [label, pieces.map(({ text }) => text)]] as const
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

/** Languages that a latent fires in, most often first. */
function languagesBy({ perLanguage }: StoredDetail): number[] {
  return [...perLanguage.keys()]
    .filter((number) => perLanguage[number][0] > 0)
    .sort((a, b) => perLanguage[b][0] - perLanguage[a][0]);
}

/** Where a latent fires most often, by the language's place; none where it never fires. */
function strongestLanguage({ perLanguage }: FeatureDetail): number {
  const probabilities = perLanguage.map(({ probability }) => probability);
  const most = Math.max(...probabilities);
  return most > 0 ? probabilities.indexOf(most) : perLanguage.length;
}

function textsOf(contexts: ContextsByLanguage): string[] {
  return [...contexts.values()].flat().map(({ pieces }) => pieces.map(({ text }) => text).join(""));
}
