/** Windows of a token matrix as examples: their tokens, texts and what a latent does on them. */
import type { TokenRows } from "../../data/token_rows.ts";
import type { Tokenizer } from "../../formats/tokenizer.ts";
import type { Example } from "../example.ts";
import type { ExampleOptions } from "./example_source.ts";
import { lonelyTexts, ontoTexts, windowTexts } from "./example_text.ts";
import { publishedTenths, tenthsOf } from "./normalised.ts";
import { activationsIn, type Firings, gridPlace, type Place, type WindowShape } from "./windows.ts";

/** What an example says beside what its window holds. */
export interface About {
  readonly activating: boolean;
  readonly distance: number;
  /** The latent's largest activation; 0 where another's activations are shown, or none. */
  readonly max: number;
}

const NOTHING: Firings = { at: new Uint32Array(), values: new Float32Array() };

/** Makes examples of one token matrix. */
export class WindowExamples {
  readonly shape: WindowShape;
  /** Windows of the grid. */
  readonly windows: number;
  readonly #rows: TokenRows;
  readonly #tokenizer: Tokenizer;
  readonly #isPaper: boolean;

  constructor(
    rows: TokenRows,
    tokenizer: Tokenizer,
    { exampleCtxLen, compat }: Pick<ExampleOptions, "exampleCtxLen" | "compat">,
  ) {
    this.shape = { contextLength: rows.contextLength, windowLength: exampleCtxLen };
    this.windows = rows.rows * rows.contextLength / exampleCtxLen;
    this.#rows = rows;
    this.#tokenizer = tokenizer;
    this.#isPaper = compat === "paper";
  }

  /** The window at a place, with activations of some latent. */
  async of(place: Place, firings: Firings, about: About): Promise<Example> {
    const { row, start } = place;
    const { activating, distance, max } = about;
    const { windowLength } = this.shape;
    const ids = await this.#rows.read([row]);
    const tokens = this.#textsIn(ids, start);
    const fired = activationsIn(firings, place, this.shape);
    const activations = this.#isPaper ? fired : ontoTexts(fired, tokens);
    const tenths = this.#isPaper ? publishedTenths : tenthsOf;
    return {
      row,
      start,
      ids: ids.slice(start, start + windowLength),
      tokens,
      activations,
      normalised: activating ? tenths(activations, max) : new Uint8Array(windowLength),
      language: languageOf(row, this.#rows.parts),
      activating,
      distance,
    };
  }

  /** A window of the grid, by its number, as one in which nothing fires. */
  async silent(window: number): Promise<Example> {
    const place = gridPlace(window, this.shape);
    return await this.of(place, NOTHING, { activating: false, distance: -1, max: 0 });
  }

  /** Text of the window at a place. */
  async text({ row, start }: Place): Promise<string> {
    return this.#textsIn(await this.#rows.read([row]), start).join("");
  }

  /** Text of each token of a window of a row. */
  #textsIn(row: Uint32Array, start: number): string[] {
    const { windowLength } = this.shape;
    return this.#isPaper
      ? lonelyTexts(this.#tokenizer, row.subarray(start, start + windowLength))
      : windowTexts(this.#tokenizer, row, start, windowLength);
  }
}

function languageOf(row: number, parts: TokenRows["parts"]): string | undefined {
  let end = 0;
  return parts.find(({ rows }) => row < (end += rows))?.language;
}
