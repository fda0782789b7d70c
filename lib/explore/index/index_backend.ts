/** The pages' questions about results, answered from the index. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { InputError } from "../../formats/input_error.ts";
import { clipText } from "../../report/visible_text.ts";
import type {
  Backend,
  Context,
  FeatureDetail,
  FeatureList,
  FeatureQuery,
  FeatureSummary,
  Overview,
  Piece,
  Related,
} from "../backend.ts";
import {
  decodeFirings,
  decodeHistogram,
  type Firings,
  noFirings,
  type TextRun,
  textRuns,
} from "./firings.ts";
import { BOS_PIECE } from "./index_texts.ts";
import { BINS, STATISTICS } from "./schema.ts";
import { windowAround } from "./window.ts";
import { searchPatterns } from "./words.ts";

/** Tokens of a context: a longer text is cut around its strongest token. */
const WINDOW = 96;
/** UTF-16 units of a token that are sent. */
const LONGEST_PIECE = 400;
/** Most latents or contexts of one answer. */
const MOST = 200;

type Row = Readonly<Record<string, unknown>>;

/** Answers from a database; what needs the model is answered elsewhere. */
export class IndexBackend implements Omit<Backend, "tryText" | "steer"> {
  readonly #database: DatabaseSync;
  readonly #overview: Overview;

  /**
   * @param database an index
   * @param live whether there is a model to run, else why not
   */
  constructor(database: DatabaseSync, live: Overview["live"]) {
    this.#database = database;
    const row = database.prepare("SELECT value FROM meta WHERE name = 'overview'").get();
    this.#overview = { ...JSON.parse(String(row?.value)), live };
  }

  overview(): Promise<Overview> {
    return Promise.resolve(this.#overview);
  }

  async features(query: FeatureQuery): Promise<FeatureList> {
    const { where, values } = this.#filter(query);
    const limit = Math.min(MOST, query.limit);
    const [{ total }] = this.#all(
      `SELECT count(*) AS total FROM features f WHERE ${where}`,
      values,
    );
    const rows = this.#all(
      `SELECT f.*, d.explanation, d.tokens FROM features f LEFT JOIN details d ON d.id = f.id
       WHERE ${where} ORDER BY ${ORDERS[query.order ?? "entropy"]} LIMIT ? OFFSET ?`,
      [...values, limit, query.offset],
    );
    return await Promise.resolve({ total: Number(total), features: rows.map(summaryOf) });
  }

  async feature(layer: number, index: number): Promise<FeatureDetail> {
    const row = this.#latent(layer, index);
    const statistics = new Float32Array(bytesOf(row.statistics).buffer);
    const at = (g: number, name: typeof STATISTICS[number]) =>
      statistics[g * STATISTICS.length + STATISTICS.indexOf(name)];
    const { languages } = this.#overview;
    const max = Number(row.max);
    return await Promise.resolve({
      ...summaryOf(row),
      entropyInterval: pairOf(row.low, row.high),
      qValue: row.q === null ? null : Number(row.q),
      max,
      perLanguage: languages.map(({ name }, g) => ({
        language: name,
        probability: at(g, "probability"),
        interval: Number.isNaN(at(g, "low")) ? null : [at(g, "low"), at(g, "high")] as const,
        mean: at(g, "mean"),
        max: at(g, "max"),
      })),
      histogram: {
        edges: Array.from({ length: BINS + 1 }, (_, i) => max * i / BINS),
        counts: this.#all("SELECT language, histogram FROM firings WHERE id = ?", [Number(row.id)])
          .map(({ language, histogram }) => ({
            language: languages[Number(language)].name,
            tokens: decodeHistogram(bytesOf(histogram)),
          })),
      },
      outputTokens: listOf<[string, number]>(row.outputs).map(([text, logit]) => ({ text, logit })),
      nearest: this.#related(row.nearest),
      opposing: this.#related(row.opposing),
      scores: listOf(row.scores),
    });
  }

  async contexts(
    layer: number,
    index: number,
    language: string,
    { offset, limit }: { readonly offset: number; readonly limit: number },
  ): Promise<{ total: number; contexts: Context[] }> {
    const id = Number(this.#latent(layer, index).id);
    const g = this.#overview.languages.findIndex(({ name }) => name === language);
    if (g < 0) throw new InputError(`There is no language ${language} in these results.`);
    const firings = this.#firings(id, g);
    const runs = textRuns(firings).sort((a, b) => b.max - a.max || a.text - b.text);
    const shown = runs.slice(offset, offset + Math.min(MOST, limit));
    return await Promise.resolve({
      total: runs.length,
      contexts: shown.map((run) => contextOf(this.#text(run.text), language, firings, run)),
    });
  }

  async article(layer: number, index: number, article: string): Promise<readonly Context[]> {
    const id = Number(this.#latent(layer, index).id);
    if (!this.#overview.articles.some((known) => known.id === article)) {
      throw new InputError(`There is no article ${article} in these texts.`);
    }
    const texts = this.#all(
      "SELECT id, language, label, pieces FROM texts WHERE article = ? ORDER BY language, id",
      [article],
    );
    const firings = new Map<number, { firings: Firings; runs: Map<number, TextRun> }>();
    const firingsIn = (g: number) => {
      const known = firings.get(g);
      if (known) return known;
      const own = this.#firings(id, g);
      const found = { firings: own, runs: new Map(textRuns(own).map((run) => [run.text, run])) };
      firings.set(g, found);
      return found;
    };
    return await Promise.resolve(texts.map((row) => {
      const { firings, runs } = firingsIn(Number(row.language));
      const run = runs.get(Number(row.id)) ?? { text: Number(row.id), from: 0, end: 0, max: 0 };
      const { name } = this.#overview.languages[Number(row.language)];
      return contextOf(row, name, firings, run, Infinity);
    }));
  }

  /** Largest activation of a latent over all texts. */
  largest(layer: number, index: number): number {
    return Number(this.#latent(layer, index).max);
  }

  #latent(layer: number, index: number): Row {
    const [row] = this.#all(
      `SELECT f.*, d.* , f.id AS id FROM features f LEFT JOIN details d ON d.id = f.id
       WHERE f.layer = ? AND f."index" = ?`,
      [layer, index],
    );
    if (row) return row;
    throw new InputError(`There is no latent ${index} in layer ${layer} of these results.`);
  }

  #firings(id: number, language: number): Firings {
    const [row] = this.#all(
      "SELECT firings FROM firings WHERE id = ? AND language = ?",
      [id, language],
    );
    return row ? decodeFirings(bytesOf(row.firings)) : noFirings();
  }

  #text(id: number): Row {
    return this.#all("SELECT label, pieces FROM texts WHERE id = ?", [id])[0];
  }

  #related(stored: unknown): Related[] {
    return listOf<[number, number]>(stored).map(([id, cosine]) => {
      const [{ layer, index, languages }] = this.#all(
        `SELECT layer, "index", languages FROM features WHERE id = ?`,
        [id],
      );
      return { layer: Number(layer), index: Number(index), cosine, languages: listOf(languages) };
    });
  }

  #filter(query: FeatureQuery): { where: string; values: SQLInputValue[] } {
    const { text = "", language, layer, identified } = query;
    const parts: string[] = ["1"];
    const values: SQLInputValue[] = [];
    if (identified) parts.push("f.identified = 1");
    if (layer !== undefined) {
      parts.push("f.layer = ?");
      values.push(layer);
    }
    if (language !== undefined) {
      const g = this.#overview.languages.findIndex(({ name }) => name === language);
      const owned = "f.id IN (SELECT id FROM owners WHERE language = ?)";
      parts.push(identified ? owned : `(${owned} OR f.strongest = ?)`);
      values.push(g, ...identified ? [] : [g]);
    }
    for (const pattern of searchPatterns(text)) {
      parts.push("f.id IN (SELECT rowid FROM words WHERE text LIKE ? ESCAPE '\\')");
      values.push(pattern);
    }
    return { where: parts.join(" AND "), values };
  }

  #all(sql: string, values: readonly SQLInputValue[]): Row[] {
    return this.#database.prepare(sql).all(...values);
  }
}

const ORDERS: Readonly<Record<NonNullable<FeatureQuery["order"]>, string>> = {
  entropy: `f.entropy IS NULL, f.entropy, f.id`,
  probability: "f.probability DESC, f.id",
  index: "f.id",
};

function summaryOf(row: Row): FeatureSummary {
  return {
    layer: Number(row.layer),
    index: Number(row.index),
    languages: listOf(row.languages),
    entropy: row.entropy === null ? null : Number(row.entropy),
    probability: Number(row.probability),
    explanation: typeof row.explanation === "string" ? row.explanation : null,
    topTokens: listOf(row.tokens),
  };
}

/** A text, or its window around the strongest token, with the activations of a run. */
function contextOf(
  { label, pieces }: Row,
  language: string,
  { tokens, values }: Firings,
  { from, end, max }: TextRun,
  window = WINDOW,
): Context {
  const all = listOf<string>(pieces);
  const activations = new Map<number, number>();
  let peak = 0;
  for (let i = from; i < end; i++) {
    activations.set(tokens[i], values[i]);
    if (values[i] === max) peak = tokens[i];
  }
  const begins = Number(all[0] === BOS_PIECE && !activations.has(0));
  const [first, last] = windowAround(all, peak, window, begins);
  const shown = all.slice(first, last).map((text, i): Piece => ({
    text: clipText(text, LONGEST_PIECE),
    activation: activations.get(first + i) ?? 0,
  }));
  const cut = (there: boolean): Piece[] => there ? [{ text: "…", activation: 0 }] : [];
  return {
    language,
    label: String(label),
    pieces: [...cut(first > begins), ...shown, ...cut(last < all.length)],
    max,
  };
}

/** A JSON list; none where there is none. */
function listOf<T>(json: unknown): T[] {
  return typeof json === "string" ? JSON.parse(json) : [];
}

/** A blob in memory of its own, aligned for any numbers. */
function bytesOf(blob: unknown): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(blob as Uint8Array);
}

function pairOf(low: unknown, high: unknown): readonly [number, number] | null {
  return low === null || high === null ? null : [Number(low), Number(high)];
}
