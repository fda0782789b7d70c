/** The pages' questions about results, answered from the index. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
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
import { type IndexedText, KeptTexts } from "./kept_texts.ts";
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

/** A latent, with what was read of its firings by language: a page asks for it many times. */
interface OpenLatent {
  readonly row: Row;
  readonly id: number;
  readonly firings: Map<number, LanguageFirings>;
}

/** Firings in one language, text by text. */
interface LanguageFirings {
  readonly firings: Firings;
  readonly runs: ReadonlyMap<number, TextRun>;
}

/** Answers from a database; what needs the model is answered elsewhere. */
export class IndexBackend implements Omit<Backend, "tryText" | "steer"> {
  readonly #database: DatabaseSync;
  readonly #overview: Overview;
  /** By their text, of which there are few: values are bound. */
  readonly #statements = new Map<string, StatementSync>();
  readonly #texts = new KeptTexts((id) => this.#readText(id));
  /** Texts of an article, by its id. */
  readonly #articles = new Map<string, readonly number[]>();
  #last: OpenLatent | undefined;

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
    const { row, id } = this.#latent(layer, index);
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
        counts: this.#all("SELECT language, histogram FROM firings WHERE id = ?", [id])
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
    const latent = this.#latent(layer, index);
    const g = this.#overview.languages.findIndex(({ name }) => name === language);
    if (g < 0) throw new InputError(`There is no language ${language} in these results.`);
    const { firings, runs } = this.#firings(latent, g);
    const ranked = [...runs.values()].sort((a, b) => b.max - a.max || a.text - b.text);
    const shown = ranked.slice(offset, offset + Math.min(MOST, limit));
    return await Promise.resolve({
      total: ranked.length,
      contexts: shown.map((run) => contextOf(this.#texts.get(run.text), language, firings, run)),
    });
  }

  async article(layer: number, index: number, article: string): Promise<readonly Context[]> {
    const latent = this.#latent(layer, index);
    return await Promise.resolve(
      this.#textsOf(article).map((id) => {
        const text = this.#texts.get(id);
        const { firings, runs } = this.#firings(latent, text.language);
        const run = runs.get(id) ?? { text: id, from: 0, end: 0, max: 0 };
        const { name } = this.#overview.languages[text.language];
        return contextOf(text, name, firings, run, Infinity);
      }),
    );
  }

  /** Largest activation of a latent over all texts. */
  largest(layer: number, index: number): number {
    return Number(this.#latent(layer, index).row.max);
  }

  #latent(layer: number, index: number): OpenLatent {
    const last = this.#last;
    if (last && last.row.layer === layer && last.row.index === index) return last;
    const [row] = this.#all(
      `SELECT f.*, d.* , f.id AS id FROM features f LEFT JOIN details d ON d.id = f.id
       WHERE f.layer = ? AND f."index" = ?`,
      [layer, index],
    );
    if (row) return this.#last = { row, id: Number(row.id), firings: new Map() };
    throw new InputError(`There is no latent ${index} in layer ${layer} of these results.`);
  }

  #firings({ id, firings }: OpenLatent, language: number): LanguageFirings {
    const known = firings.get(language);
    if (known) return known;
    const [row] = this.#all(
      "SELECT firings FROM firings WHERE id = ? AND language = ?",
      [id, language],
    );
    const own = row ? decodeFirings(bytesOf(row.firings)) : noFirings();
    const found = { firings: own, runs: new Map(textRuns(own).map((run) => [run.text, run])) };
    firings.set(language, found);
    return found;
  }

  #readText(id: number): IndexedText {
    const [row] = this.#all("SELECT language, label, pieces FROM texts WHERE id = ?", [id]);
    const { language, label, pieces } = row;
    return { id, language: Number(language), label: String(label), pieces: listOf(pieces) };
  }

  #textsOf(article: string): readonly number[] {
    const known = this.#articles.get(article);
    if (known) return known;
    if (!this.#overview.articles.some(({ id }) => id === article)) {
      throw new InputError(`There is no article ${article} in these texts.`);
    }
    const rows = this.#all(
      "SELECT id FROM texts WHERE article = ? ORDER BY language, id",
      [article],
    );
    const ids = rows.map(({ id }) => Number(id));
    this.#articles.set(article, ids);
    return ids;
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
    const known = this.#statements.get(sql);
    const statement = known ?? this.#database.prepare(sql);
    if (!known) this.#statements.set(sql, statement);
    return statement.all(...values);
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
  { label, pieces }: IndexedText,
  language: string,
  { tokens, values }: Firings,
  { from, end, max }: TextRun,
  window = WINDOW,
): Context {
  const activations = new Map<number, number>();
  let peak = 0;
  for (let i = from; i < end; i++) {
    activations.set(tokens[i], values[i]);
    if (values[i] === max) peak = tokens[i];
  }
  const begins = Number(pieces[0] === BOS_PIECE && !activations.has(0));
  const [first, last] = windowAround(pieces, peak, window, begins);
  const shown = pieces.slice(first, last).map((text, i): Piece => ({
    text: clipText(text, LONGEST_PIECE),
    activation: activations.get(first + i) ?? 0,
  }));
  const cut = (there: boolean): Piece[] => there ? [{ text: "…", activation: 0 }] : [];
  return {
    language,
    label,
    pieces: [...cut(first > begins), ...shown, ...cut(last < pieces.length)],
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
