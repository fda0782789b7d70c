/** Made-up results behind the explorer's contract: every number follows from layer, index and language. */
import type {
  Backend,
  Context,
  FeatureDetail,
  FeatureList,
  FeatureQuery,
  FeatureSummary,
  Overview,
} from "../../lib/explore/backend.ts";

const LANGUAGES = [
  { name: "English", code: "en", text: "All human beings are born free" },
  { name: "Thai", code: "th", text: "มนุษย์ทั้งหลายเกิดมามีอิสระ" },
  { name: "Arabic", code: "ar", text: "يولد جميع الناس أحرارا" },
] as const;

/** Layers are not numbered from 0, and not equally wide. */
const LAYERS = [{ layer: 2, latents: 230 }, { layer: 5, latents: 17 }];

/** Contexts of a latent in one language. */
const CONTEXTS = 8;

/** Text that would be markup, and a lone surrogate. */
export const HOSTILE = "<img src=x onerror=alert(1)> \u202e \ud800";

/** Answers about latents that nobody trained. */
export class MadeUpBackend implements Backend {
  readonly #all: FeatureSummary[] = LAYERS.flatMap(({ layer, latents }) =>
    Array.from({ length: latents }, (_, index) => summaryOf(layer, index))
  );

  overview(): Promise<Overview> {
    return Promise.resolve({
      ...{ model: "made up", sae: "none", corpus: "three sentences", live: true },
      languages: LANGUAGES.map(({ name, code }) => ({
        ...{ name, code, direction: name === "Arabic" ? "rtl" as const : "ltr" as const },
        ...{ tokens: 100, texts: CONTEXTS, features: this.#featuresOf(name).length },
        featuresPerLayer: LAYERS.map(({ layer }) =>
          this.#featuresOf(name).filter((one) => one.layer === layer).length
        ),
      })),
      layers: LAYERS.map((one) => ({ ...one, hookpoint: `layers.${one.layer}.mlp` })),
      articles: [{ id: "1", title: "Article 1" }, { id: "2", title: "Article 2" }],
      provenance: [["made", "up"]],
    });
  }

  features(query: FeatureQuery): Promise<FeatureList> {
    const fitting = this.#all.filter(({ layer, index, languages }) =>
      (query.layer === undefined || layer === query.layer) &&
      (query.language === undefined || languages.includes(query.language) ||
        (!query.identified && query.language === strongestOf(index))) &&
      (!query.identified || languages.length > 0)
    );
    const key = (one: FeatureSummary) =>
      query.order === "index"
        ? 0
        : query.order === "probability"
        ? -one.probability
        : one.entropy ?? Infinity;
    // Infinity - Infinity is not a number, which leaves the order as it is.
    const ordered = fitting.toSorted((a, b) => key(a) - key(b) || 0);
    const features = ordered.slice(query.offset, query.offset + query.limit);
    return Promise.resolve({ total: fitting.length, features });
  }

  feature(layer: number, index: number): Promise<FeatureDetail> {
    const max = 1 + (index % 4) / 4;
    const edges = [0, max / 4, max / 2, 3 * max / 4, max];
    return Promise.resolve({
      ...summaryOf(layer, index),
      ...{ entropyInterval: index % 5 === 0 ? null : [0.25, 0.5], qValue: 0.125, max },
      perLanguage: LANGUAGES.map(({ name }, g) => ({
        ...{ language: name, probability: (index + g) % 3 / 4, mean: 0.5, max: max / 2 ** g },
        interval: g === 2 ? null : [0.125, 0.25] as const,
      })),
      histogram: {
        edges,
        counts: [{ language: LANGUAGES[index % 3].name, tokens: [5, 4, 0, 2] }],
      },
      outputTokens: [{ text: " free", logit: 0.5 }, { text: HOSTILE, logit: 0.25 }],
      nearest: [{ layer, index: 0, cosine: 0.75, languages: ["Thai"] }],
      opposing: [{ layer: 5, index: 1, cosine: -0.5, languages: [] }],
      scores: [{
        ...{ scorer: "detection", accuracy: 0.75, interval: [0.5, 1] as const },
        ...{ f1: 0.5, precision: 0.5, recall: 0.5 },
      }],
    });
  }

  contexts(
    layer: number,
    index: number,
    language: string,
    { offset, limit }: { readonly offset: number; readonly limit: number },
  ): Promise<{ total: number; contexts: Context[] }> {
    const fires = (index + LANGUAGES.findIndex(({ name }) => name === language)) % 3 > 0;
    const all = Array.from(
      { length: fires ? CONTEXTS : 0 },
      (_, row) => contextOf(language, `row ${row}`, layer + index, row),
    );
    return Promise.resolve({ total: all.length, contexts: all.slice(offset, offset + limit) });
  }

  article(layer: number, index: number, article: string): Promise<Context[]> {
    return Promise.resolve(
      LANGUAGES.map(({ name }) => contextOf(name, `article ${article}`, layer + index, 0)),
    );
  }

  tryText(): Promise<never> {
    return Promise.reject(new Error("There is no model here."));
  }

  steer(): Promise<never> {
    return Promise.reject(new Error("There is no model here."));
  }

  #featuresOf(name: string): FeatureSummary[] {
    return this.#all.filter(({ languages }) => languages.includes(name));
  }
}

/** Every seventh belongs to a language, every 35th to two. */
function summaryOf(layer: number, index: number): FeatureSummary {
  const names = LANGUAGES.map(({ name }) => name);
  const languages = index % 7 > 0 ? [] : index % 5 > 0 ? [names[index % 3]] : names.slice(1);
  return {
    ...{ layer, index, languages },
    entropy: index % 11 === 0 ? null : (index * 37 % 16) / 16,
    probability: (index * 29 % 16) / 16,
    explanation: languages.length > 0 ? `words of layer${layer}latent${index}` : null,
    topTokens: [" born", HOSTILE],
  };
}

/** The language whose probability, of those that feature() gives, is largest. */
function strongestOf(index: number): string {
  return LANGUAGES[(2 * index + 2) % 3].name;
}

function contextOf(language: string, label: string, seed: number, row: number): Context {
  const { text } = LANGUAGES.find(({ name }) => name === language)!;
  const pieces = (text.match(/.{1,5}/gsu) ?? []).map((piece, token) => ({
    text: piece,
    activation: (token + seed) % 3 === 0 ? (CONTEXTS - row) / 4 : 0,
  }));
  return { language, label, pieces, max: Math.max(...pieces.map((piece) => piece.activation)) };
}
