/** Examples in which a latent does not fire, from all sources (spec train-and-interpret B.4). */
import type { Embedder } from "../../llm/chat.ts";
import { seededRandom } from "../../stats/random.ts";
import type { Example, LatentName } from "../example.ts";
import type { ExampleOptions } from "./example_source.ts";
import type { HeldFirings } from "./held_firings.ts";
import { inTurn } from "./in_turn.ts";
import { nearestWindows, publishedNearestWindows, WindowVectors } from "./nearest_windows.ts";
import type { NeighbourLists } from "./neighbours.ts";
import { otherWindows, publishedRandomWindows, randomWindows } from "./random_windows.ts";
import { NON_ACTIVATING } from "./seeds.ts";
import type { WindowExamples } from "./window_examples.ts";
import { gridPlace, gridWindows, windowOf, type WindowPlace } from "./windows.ts";

/** Windows that a neighbour gives at most. */
const OF_A_NEIGHBOUR = 10;
/** The strongest windows that others are sought near to. */
const QUERIES = 10;

/** What the sources of non-activating examples read. */
export interface NonActivatingSources {
  readonly held: HeldFirings;
  /** By hookpoint; for `nonActivatingSource` "neighbours". */
  readonly neighbours: ReadonlyMap<string, NeighbourLists>;
  /** For `nonActivatingSource` "FAISS". */
  readonly embedder: Embedder | undefined;
}

/** Makes the non-activating examples of latents. */
export class NonActivating {
  readonly #examples: WindowExamples;
  readonly #sources: NonActivatingSources;
  readonly #vectors: WindowVectors | undefined;
  readonly #options: ExampleOptions;

  constructor(examples: WindowExamples, sources: NonActivatingSources, options: ExampleOptions) {
    this.#examples = examples;
    this.#sources = sources;
    this.#vectors = sources.embedder && new WindowVectors(
      sources.embedder,
      (window) => examples.text(gridPlace(window, examples.shape)),
    );
    this.#options = options;
  }

  /**
   * A latent's non-activating examples.
   *
   * @param places windows in which it fires, strongest first
   * @param active windows of the grid that are not to be shown
   */
  async of(
    latent: LatentName,
    places: readonly WindowPlace[],
    active: ReadonlySet<number>,
  ): Promise<Example[]> {
    switch (this.#options.nonActivatingSource) {
      case "neighbours": {
        const found = await this.#ofNeighbours(latent, active);
        return found.length > 0 ? found : await this.#silent(this.#random(latent, active));
      }
      case "FAISS":
        return await this.#silent(await this.#nearest(places, active));
      case "random":
        return await this.#silent(this.#random(latent, active));
    }
  }

  #random({ layer, index }: LatentName, active: ReadonlySet<number>): number[] {
    const { nNonActivating, compat, seed } = this.#options;
    const others = otherWindows(this.#examples.windows, active);
    if (compat === "paper") return publishedRandomWindows(others, nNonActivating);
    const random = seededRandom(seed, layer, index, NON_ACTIVATING);
    return randomWindows(others, nNonActivating, random);
  }

  /** Strongest windows of neighbours in which the latent itself does not fire, the likest's first. */
  async #ofNeighbours(
    { hookpoint, index }: LatentName,
    active: ReadonlySet<number>,
  ): Promise<Example[]> {
    const { nNonActivating, compat } = this.#options;
    const { shape } = this.#examples;
    const { held, neighbours } = this.#sources;
    const isPaper = compat === "paper";
    const examples: Example[] = [];
    const taken = new Set(active);
    for (const [similarity, neighbour] of neighbours.get(hookpoint)?.get(index) ?? []) {
      const missing = nNonActivating - examples.length;
      if (missing <= 0) break;
      const firings = await held.of(hookpoint, neighbour);
      const free = gridWindows(firings, shape)
        .filter((place) => !taken.has(windowOf(place, shape)))
        .slice(0, isPaper ? OF_A_NEIGHBOUR : Math.min(OF_A_NEIGHBOUR, missing));
      const about = { activating: false, distance: -similarity, max: 0 };
      examples.push(...await inTurn(free, (place) => this.#examples.of(place, firings, about)));
      // as published, a window may come once for every neighbour
      if (isPaper) continue;
      for (const place of free) taken.add(windowOf(place, shape));
    }
    return examples;
  }

  /** Windows that mean what the strongest of those mean in which the latent fires. */
  async #nearest(places: readonly WindowPlace[], active: ReadonlySet<number>): Promise<number[]> {
    const vectors = this.#vectors;
    if (!vectors) throw new RangeError("no embedder was given");
    const { nNonActivating, compat } = this.#options;
    const others = otherWindows(this.#examples.windows, active);
    const texts = await inTurn(places.slice(0, QUERIES), (place) => this.#examples.text(place));
    const queries = await vectors.ofTexts(texts);
    const nearest = compat === "paper" ? publishedNearestWindows : nearestWindows;
    return nearest(queries, others, await vectors.of(others), nNonActivating);
  }

  async #silent(windows: readonly number[]): Promise<Example[]> {
    return await inTurn(windows, (window) => this.#examples.silent(window));
  }
}
