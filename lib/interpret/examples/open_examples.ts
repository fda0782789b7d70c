/** Examples of latents from a cache (spec train-and-interpret B.3 to B.5). */
import type { TokenRows } from "../../data/token_rows.ts";
import { InputError } from "../../formats/input_error.ts";
import type { Tokenizer } from "../../formats/tokenizer.ts";
import type { Embedder } from "../../llm/chat.ts";
import { seededRandom } from "../../stats/random.ts";
import type { Example, LatentExamples, LatentName } from "../example.ts";
import { readFiringCounts } from "../latent_cache/firing_counts.ts";
import { type LatentCache, openLatentCache } from "../latent_cache/open_cache.ts";
import type { ExampleOptions, ExampleSource, TooFewWindows } from "./example_source.ts";
import { lonelyTexts, windowTexts } from "./example_text.ts";
import { HeldFirings } from "./held_firings.ts";
import { nearestWindows, publishedNearestWindows, WindowVectors } from "./nearest_windows.ts";
import { readNeighbours } from "./neighbour_files.ts";
import type { NeighbourLists } from "./neighbours.ts";
import { publishedTenths, tenthsOf } from "./normalised.ts";
import { otherWindows, publishedRandomWindows, randomWindows } from "./random_windows.ts";
import { choosePublishedWindows, chooseWindows, type ChosenWindow } from "./sampling.ts";
import {
  activationsIn,
  centredWindows,
  type Firings,
  gridPlace,
  gridWindows,
  publishedCentredWindows,
  touchedWindows,
  type WindowPlace,
  type WindowShape,
} from "./windows.ts";

/** What examples are made with, beside the cache. */
export interface ExampleTools {
  readonly tokenizer: Tokenizer;
  /** For `nonActivatingSource` "FAISS". */
  readonly embedder?: Embedder;
}

/** Windows that a neighbour gives at most. */
const OF_A_NEIGHBOUR = 10;
/** The strongest windows that others are sought near to. */
const QUERIES = 10;

/** Tokens of the matrix are counted in 32 bits. */
const MOST_TOKENS = 2 ** 32;

/** What seeds are drawn for, beside the latent. */
const PURPOSES = { choice: 1, nonActivating: 2 } as const;

/**
 * Opens the examples of latents.
 *
 * @param folder of the run: what has `latents/` in it, and `neighbours/`, if they are asked for
 * @param latents hookpoint by hookpoint; all of them have to be in the cache
 * @throws InputError when the cache is not there or not whole, or does not fit the options
 */
export async function openLatentExamples(
  folder: string,
  latents: readonly LatentName[],
  options: ExampleOptions,
  tools: ExampleTools,
): Promise<ExampleSource> {
  const hookpoints = [...new Set(latents.map(({ hookpoint }) => hookpoint))];
  checkEmbedder(options, tools);
  using undo = new DisposableStack();
  const cache = undo.use(await openLatentCache(folder, hookpoints));
  checkWindows(options, cache.tokens);
  const ordered = hookpoints.flatMap((hookpoint) =>
    latents.filter((latent) => latent.hookpoint === hookpoint).sort((a, b) => a.index - b.index)
  );
  const fires = await firing(cache, ordered);
  const neighbours = new Map<string, NeighbourLists>();
  if (options.nonActivatingSource === "neighbours") {
    for (const hookpoint of hookpoints) {
      neighbours.set(hookpoint, await readNeighbours(folder, hookpoint, options.neighboursType));
    }
  }
  const owned = undo.move();
  return new CachedExamples(cache, ordered, fires, neighbours, options, tools, owned);
}

function checkEmbedder({ nonActivatingSource }: ExampleOptions, { embedder }: ExampleTools): void {
  if (nonActivatingSource !== "FAISS" || embedder) return;
  throw new InputError(
    "--non-activating-source FAISS compares meanings of texts, but no model is named that tells them; " +
      "name one of an embeddings endpoint, or choose random.",
  );
}

function checkWindows(
  { exampleCtxLen }: ExampleOptions,
  { rows, contextLength }: TokenRows,
): void {
  if (rows * contextLength > MOST_TOKENS) {
    throw new InputError(
      `The cache has ${rows} rows of ${contextLength} tokens, expected at most ${MOST_TOKENS} tokens; ` +
        `cache fewer by --n-tokens.`,
    );
  }
  if (contextLength % exampleCtxLen === 0) return;
  throw new InputError(
    `Rows of ${contextLength} tokens are no whole windows of ${exampleCtxLen}; give an ` +
      `--example-ctx-len that divides ${contextLength}.`,
  );
}

/** Whether each of the latents fires in the cache. */
async function firing(cache: LatentCache, latents: readonly LatentName[]): Promise<boolean[]> {
  const fired = new Map<string, ReadonlySet<number>>();
  for (const { hookpoint } of latents) {
    if (!fired.has(hookpoint)) fired.set(hookpoint, await firingAt(cache, hookpoint));
  }
  return latents.map(({ hookpoint, index }) => fired.get(hookpoint)?.has(index) ?? false);
}

async function firingAt(cache: LatentCache, hookpoint: string): Promise<ReadonlySet<number>> {
  const fired = new Set<number>();
  const known = await readFiringCounts(cache.folder, hookpoint);
  if (known) {
    for (let i = 0; i < known.counts.length; i++) {
      if (known.counts[i] > 0) fired.add(known.latents?.[i] ?? i);
    }
    return fired;
  }
  for (const split of cache.splits(hookpoint)) {
    for await (const { latents } of cache.entries(split)) {
      for (let i = 0; i < latents.length; i++) fired.add(latents[i]);
    }
  }
  return fired;
}

class CachedExamples implements ExampleSource {
  readonly latents: readonly LatentName[];
  readonly silent: readonly LatentName[];
  readonly windows: number;
  readonly tokens: number;
  readonly #rows: TokenRows;
  readonly #shape: WindowShape;
  readonly #asked: ReadonlySet<string>;
  readonly #held: HeldFirings;
  readonly #neighbours: ReadonlyMap<string, NeighbourLists>;
  readonly #vectors: WindowVectors | undefined;
  readonly #options: ExampleOptions;
  readonly #tokenizer: Tokenizer;
  readonly #owned: DisposableStack;

  /** @param fires whether each of the latents does */
  constructor(
    cache: LatentCache,
    latents: readonly LatentName[],
    fires: readonly boolean[],
    neighbours: ReadonlyMap<string, NeighbourLists>,
    options: ExampleOptions,
    { tokenizer, embedder }: ExampleTools,
    owned: DisposableStack,
  ) {
    const { rows, contextLength } = cache.tokens;
    this.latents = latents.filter((_, i) => fires[i]);
    this.silent = latents.filter((_, i) => !fires[i]);
    this.tokens = rows * contextLength;
    this.windows = this.tokens / options.exampleCtxLen;
    this.#rows = cache.tokens;
    this.#shape = { contextLength, windowLength: options.exampleCtxLen };
    this.#asked = new Set(latents.map(keyOf));
    this.#held = new HeldFirings(cache, withNeighbours(latents, neighbours));
    this.#neighbours = neighbours;
    this.#options = options;
    this.#tokenizer = tokenizer;
    this.#vectors = embedder && new WindowVectors(embedder, (window) => this.#textOf(window));
    this.#owned = owned;
  }

  async load(latent: LatentName): Promise<LatentExamples | TooFewWindows> {
    if (!this.#asked.has(keyOf(latent))) throw new RangeError(`${keyOf(latent)} was not asked for`);
    const { minExamples } = this.#options;
    const firings = await this.#held.of(latent.hookpoint, latent.index);
    const grid = gridWindows(firings, this.#shape);
    const places = this.#placesOf(firings, grid);
    if (grid.length < minExamples || places.length === 0) {
      return { latent, skipped: "too few windows", activeWindows: grid.length };
    }
    const [{ max }] = places;
    const { train, test } = this.#choose(latent, places.length);
    const activating = (chosen: readonly ChosenWindow[]) =>
      inTurn(
        chosen,
        ({ index, quantile }) => this.#example(places[index], firings, max, true, quantile),
      );
    // as published, a centred window may have tokens of one that counts as inactive
    const shown = this.#options.compat === "paper" ? [] : places;
    const active = touchedWindows([...grid, ...shown], this.#shape);
    return {
      latent,
      max,
      activeWindows: grid.length,
      windows: this.windows,
      firedTokens: firings.at.length,
      tokens: this.tokens,
      train: await activating(train),
      test: await activating(test),
      nonActivating: await this.#nonActivating(latent, places, active),
    };
  }

  #placesOf(firings: Firings, grid: readonly WindowPlace[]): readonly WindowPlace[] {
    const { windows, compat } = this.#options;
    if (windows === "grid") return grid;
    return compat === "paper"
      ? publishedCentredWindows(firings, this.#shape, grid)
      : centredWindows(firings, this.#shape);
  }

  #choose({ layer, index }: LatentName, count: number) {
    const { compat, seed } = this.#options;
    if (compat === "paper") return choosePublishedWindows(count, this.#options);
    return chooseWindows(count, this.#options, seededRandom(seed, layer, index, PURPOSES.choice));
  }

  /** @param active windows of the grid that are not to be shown as non-activating */
  async #nonActivating(
    latent: LatentName,
    places: readonly WindowPlace[],
    active: ReadonlySet<number>,
  ): Promise<Example[]> {
    switch (this.#options.nonActivatingSource) {
      case "neighbours": {
        const found = await this.#ofNeighbours(latent, active);
        return found.length > 0 ? found : await this.#silentExamples(this.#random(latent, active));
      }
      case "FAISS":
        return await this.#silentExamples(await this.#nearest(places, active));
      case "random":
        return await this.#silentExamples(this.#random(latent, active));
    }
  }

  #random({ layer, index }: LatentName, active: ReadonlySet<number>): number[] {
    const { nNonActivating, compat, seed } = this.#options;
    const others = otherWindows(this.windows, active);
    if (compat === "paper") return publishedRandomWindows(others, nNonActivating);
    const random = seededRandom(seed, layer, index, PURPOSES.nonActivating);
    return randomWindows(others, nNonActivating, random);
  }

  /** Strongest windows of neighbours in which the latent itself does not fire, the likest's first. */
  async #ofNeighbours(
    { hookpoint, index }: LatentName,
    active: ReadonlySet<number>,
  ): Promise<Example[]> {
    const { nNonActivating, compat } = this.#options;
    const examples: Example[] = [];
    const taken = new Set(active);
    for (const [similarity, neighbour] of this.#neighbours.get(hookpoint)?.get(index) ?? []) {
      if (examples.length >= nNonActivating) break;
      const firings = await this.#held.of(hookpoint, neighbour);
      const free = gridWindows(firings, this.#shape)
        .filter((place) => !taken.has(this.#windowOf(place)))
        .slice(0, OF_A_NEIGHBOUR);
      for (const place of free) {
        // as published, a window may come once for every neighbour
        if (compat !== "paper") taken.add(this.#windowOf(place));
        const example = await this.#example(place, firings, 0, false, -similarity);
        examples.push(example);
      }
    }
    return compat === "paper" ? examples : examples.slice(0, nNonActivating);
  }

  #windowOf({ row, start }: WindowPlace): number {
    const { contextLength, windowLength } = this.#shape;
    return (row * contextLength + start) / windowLength;
  }

  /** Windows that mean what the strongest of those mean in which the latent fires. */
  async #nearest(places: readonly WindowPlace[], active: ReadonlySet<number>): Promise<number[]> {
    const vectors = this.#vectors;
    if (!vectors) throw new RangeError("no embedder was given");
    const { nNonActivating, compat } = this.#options;
    const others = otherWindows(this.windows, active);
    const texts = await inTurn(
      places.slice(0, QUERIES),
      async (place) => (await this.#textsOf(place)).join(""),
    );
    const queries = await vectors.ofTexts(texts);
    const nearest = compat === "paper" ? publishedNearestWindows : nearestWindows;
    return nearest(queries, others, await vectors.of(others), nNonActivating);
  }

  /** Windows of the grid in which the latent does not fire. */
  async #silentExamples(windows: readonly number[]): Promise<Example[]> {
    const none = { at: new Uint32Array(), values: new Float32Array() };
    return await inTurn(
      windows,
      (window) => this.#example({ ...gridPlace(window, this.#shape), max: 0 }, none, 0, false, -1),
    );
  }

  /** @param max the latent's largest activation; 0 where another's activations are shown */
  async #example(
    place: WindowPlace,
    firings: Firings,
    max: number,
    activating: boolean,
    distance: number,
  ): Promise<Example> {
    const { row, start } = place;
    const activations = activationsIn(firings, place, this.#shape);
    const tenths = this.#options.compat === "paper" ? publishedTenths : tenthsOf;
    const ids = await this.#rows.read([row]);
    return {
      row,
      start,
      ids: ids.slice(start, start + activations.length),
      tokens: this.#textsIn(ids, start),
      activations,
      normalised: activating ? tenths(activations, max) : new Uint8Array(activations.length),
      language: languageOf(row, this.#rows.parts),
      activating,
      distance,
    };
  }

  async #textOf(window: number): Promise<string> {
    return (await this.#textsOf(gridPlace(window, this.#shape))).join("");
  }

  async #textsOf({ row, start }: Omit<WindowPlace, "max">): Promise<string[]> {
    return this.#textsIn(await this.#rows.read([row]), start);
  }

  /** Text of each token of a window of a row. */
  #textsIn(row: Uint32Array, start: number): string[] {
    const { windowLength } = this.#shape;
    return this.#options.compat === "paper"
      ? lonelyTexts(this.#tokenizer, row.subarray(start, start + windowLength))
      : windowTexts(this.#tokenizer, row, start, windowLength);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

function keyOf({ hookpoint, index }: LatentName): string {
  return `${hookpoint}_latent${index}`;
}

/** All latents whose activations may be shown, by hookpoint. */
function withNeighbours(
  latents: readonly LatentName[],
  neighbours: ReadonlyMap<string, NeighbourLists>,
): Map<string, Set<number>> {
  const needed = new Map<string, Set<number>>();
  for (const { hookpoint, index } of latents) {
    const known = needed.get(hookpoint) ?? new Set();
    needed.set(hookpoint, known.add(index));
    const near = neighbours.get(hookpoint)?.get(index) ?? [];
    for (const [, neighbour] of near) known.add(neighbour);
  }
  return needed;
}

function languageOf(row: number, parts: TokenRows["parts"]): string | undefined {
  let end = 0;
  return parts.find(({ rows }) => row < (end += rows))?.language;
}

/** What becomes of each, one after the other: files are read in order, and memory stays small. */
async function inTurn<A, B>(list: readonly A[], make: (item: A) => Promise<B>): Promise<B[]> {
  const made: B[] = [];
  for (const item of list) made.push(await make(item));
  return made;
}
