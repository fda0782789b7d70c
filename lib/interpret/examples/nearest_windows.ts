/**
 * Windows in which a latent does not fire, but which mean what the strongest of those do in which it
 * does (`--non-activating-source FAISS`, spec train-and-interpret B.4): nearest by vectors of their
 * texts, searched exactly.
 */
import type { Embedder } from "../../llm/chat.ts";

/** Texts that are turned into vectors at a time. */
const TEXTS = 256;

/** Vectors of windows, each computed once. */
export class WindowVectors {
  readonly #embedder: Embedder;
  readonly #textOf: (window: number) => Promise<string>;
  readonly #vectors = new Map<number, Float32Array>();

  /** @param textOf text of a window of the grid */
  constructor(embedder: Embedder, textOf: (window: number) => Promise<string>) {
    this.#embedder = embedder;
    this.#textOf = textOf;
  }

  /** Vectors of unit length of windows of the grid, in their order. */
  async of(windows: ArrayLike<number>): Promise<Float32Array[]> {
    const missing = Array.from(windows).filter((window) => !this.#vectors.has(window));
    for (let from = 0; from < missing.length; from += TEXTS) {
      const some = missing.slice(from, from + TEXTS);
      const texts: string[] = [];
      for (const window of some) texts.push(await this.#textOf(window));
      const vectors = await this.ofTexts(texts);
      some.forEach((window, i) => this.#vectors.set(window, vectors[i]));
    }
    return Array.from(windows, (window) => this.#vectors.get(window) as Float32Array);
  }

  /** Vectors of unit length of other texts. */
  async ofTexts(texts: readonly string[]): Promise<Float32Array[]> {
    return await this.#embedder.embed(texts);
  }
}

/**
 * The nearest windows of each query in turn: the nearest of every query, then the next nearest, none
 * twice, until there are `size`.
 *
 * @param queries vectors of unit length
 * @param vectors of the windows, of unit length
 */
export function nearestWindows(
  queries: readonly Float32Array[],
  windows: ArrayLike<number>,
  vectors: readonly Float32Array[],
  size: number,
): number[] {
  const orders = queries.map((query) => byDistance(query, vectors));
  const taken = new Set<number>();
  const next = orders.map(() => 0);
  while (taken.size < Math.min(size, orders.length > 0 ? vectors.length : 0)) {
    for (const [i, order] of orders.entries()) {
      while (next[i] < order.length && taken.has(order[next[i]])) next[i]++;
      if (next[i] < order.length && taken.size < size) taken.add(order[next[i]]);
    }
  }
  return Array.from(taken, (at) => windows[at]);
}

/** As published: all of the first query's, then of the next; in practice the first has enough. */
export function publishedNearestWindows(
  queries: readonly Float32Array[],
  windows: ArrayLike<number>,
  vectors: readonly Float32Array[],
  size: number,
): number[] {
  return queries.flatMap((query) => byDistance(query, vectors).slice(0, size))
    .slice(0, size).map((at) => windows[at]);
}

/** Positions of the vectors, nearest first; ties in their order. */
function byDistance(query: Float32Array, vectors: readonly Float32Array[]): number[] {
  const similarity = vectors.map((vector) => {
    let product = 0;
    for (let i = 0; i < query.length; i++) product += query[i] * vector[i];
    return product;
  });
  return [...similarity.keys()].sort((a, b) => similarity[b] - similarity[a] || a - b);
}
