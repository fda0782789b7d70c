/** Examples of latents from a cache (spec train-and-interpret B.3 to B.5). */
import type { TokenRows } from "../../data/token_rows.ts";
import { InputError } from "../../formats/input_error.ts";
import type { Tokenizer } from "../../formats/tokenizer.ts";
import type { Embedder } from "../../llm/chat.ts";
import { seededRandom } from "../../stats/random.ts";
import type { LatentExamples, LatentName } from "../example.ts";
import { readFiringCounts } from "../latent_cache/firing_counts.ts";
import { type LatentCache, openLatentCache } from "../latent_cache/open_cache.ts";
import type { ExampleOptions, ExampleSource, TooFewWindows } from "./example_source.ts";
import { HeldFirings } from "./held_firings.ts";
import { inTurn } from "./in_turn.ts";
import { readNeighbours } from "./neighbour_files.ts";
import type { NeighbourLists } from "./neighbours.ts";
import { NonActivating } from "./non_activating.ts";
import {
  choosePublishedWindows,
  chooseWindows,
  type ChosenWindow,
  type ChosenWindows,
} from "./sampling.ts";
import { CHOICE } from "./seeds.ts";
import { WindowExamples } from "./window_examples.ts";
import {
  centredWindows,
  type Firings,
  gridWindows,
  publishedCentredWindows,
  touchedWindows,
  type WindowPlace,
} from "./windows.ts";

/** What examples are made with, beside the cache. */
export interface ExampleTools {
  readonly tokenizer: Tokenizer;
  /** For `nonActivatingSource` "FAISS". */
  readonly embedder?: Embedder;
}

/** Tokens of the matrix are counted in 32 bits. */
const MOST_TOKENS = 2 ** 32;

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
  readonly #asked: ReadonlySet<string>;
  readonly #held: HeldFirings;
  readonly #examples: WindowExamples;
  readonly #nonActivating: NonActivating;
  readonly #options: ExampleOptions;
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
    const held = new HeldFirings(cache, withNeighbours(latents, neighbours));
    const examples = new WindowExamples(cache.tokens, tokenizer, options);
    this.latents = latents.filter((_, i) => fires[i]);
    this.silent = latents.filter((_, i) => !fires[i]);
    this.tokens = cache.tokens.rows * cache.tokens.contextLength;
    this.windows = examples.windows;
    this.#asked = new Set(latents.map(keyOf));
    this.#held = held;
    this.#examples = examples;
    this.#nonActivating = new NonActivating(examples, { held, neighbours, embedder }, options);
    this.#options = options;
    this.#owned = owned;
  }

  async load(latent: LatentName): Promise<LatentExamples | TooFewWindows> {
    if (!this.#asked.has(keyOf(latent))) throw new RangeError(`${keyOf(latent)} was not asked for`);
    const { minExamples, compat } = this.#options;
    const { shape } = this.#examples;
    const firings = await this.#held.of(latent.hookpoint, latent.index);
    const grid = gridWindows(firings, shape);
    const places = this.#placesOf(firings, grid);
    if (grid.length < minExamples || places.length === 0) {
      return { latent, skipped: "too few windows", activeWindows: grid.length };
    }
    const [{ max }] = places;
    const { train, test } = this.#choose(latent, places.length);
    const activating = (chosen: readonly ChosenWindow[]) =>
      inTurn(
        chosen,
        ({ index, quantile: distance }) =>
          this.#examples.of(places[index], firings, { activating: true, distance, max }),
      );
    // as published, a centred window may have tokens of one that counts as inactive
    const active = touchedWindows(compat === "paper" ? grid : [...grid, ...places], shape);
    return {
      latent,
      max,
      activeWindows: grid.length,
      windows: this.windows,
      firedTokens: firings.at.length,
      tokens: this.tokens,
      train: await activating(train),
      test: await activating(test),
      nonActivating: await this.#nonActivating.of(latent, places, active),
    };
  }

  #placesOf(firings: Firings, grid: readonly WindowPlace[]): readonly WindowPlace[] {
    const { windows, compat } = this.#options;
    const { shape } = this.#examples;
    if (windows === "grid") return grid;
    return compat === "paper"
      ? publishedCentredWindows(firings, shape, grid)
      : centredWindows(firings, shape);
  }

  #choose({ layer, index }: LatentName, count: number): ChosenWindows {
    const { compat, seed } = this.#options;
    if (compat === "paper") return choosePublishedWindows(count, this.#options);
    return chooseWindows(count, this.#options, seededRandom(seed, layer, index, CHOICE));
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
