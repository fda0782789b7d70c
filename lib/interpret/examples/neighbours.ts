/** Latents that are like a latent (spec train-and-interpret B.4). */
import type { MatrixSource } from "../../gpu/matrix.ts";
import type { Decoder } from "../../sae/sae.ts";
import { floatsOf, rowBlocks } from "../../sae/stored_rows.ts";

/** A latent, and how like it is: 1 is the same. */
export type Neighbour = readonly [similarity: number, latent: number];

/** Neighbours of latents, the likest first; the latent itself is not among them. */
export type NeighbourLists = ReadonlyMap<number, readonly Neighbour[]>;

/** Neighbours that are kept of each latent. */
const MOST = 250;
/** Decoder rows that are read at a time. */
const ROWS = 4096;

/** Some entries of a cache: token and latent of each. */
export interface TokenLatents {
  /** Counted over the whole token matrix. */
  readonly tokens: ArrayLike<number>;
  readonly latents: ArrayLike<number>;
}

/**
 * Neighbours by co-occurrence: Jaccard's index of the sets of tokens on which two latents fire. Only
 * pairs that do fire together are counted, so memory is that of their number, not of all pairs.
 *
 * @param latents whose neighbours are wanted
 * @param entries all entries of a hookpoint, in any order; read twice
 */
export async function coOccurrence(
  latents: Iterable<number>,
  entries: () => AsyncIterable<TokenLatents>,
): Promise<NeighbourLists> {
  const wanted = new Set(latents);
  const wantedOn = new Map<number, number[]>();
  const tokensOf = new Map<number, number>();
  for await (const block of entries()) {
    for (let i = 0; i < block.latents.length; i++) {
      const latent = block.latents[i];
      tokensOf.set(latent, (tokensOf.get(latent) ?? 0) + 1);
      if (!wanted.has(latent)) continue;
      const known = wantedOn.get(block.tokens[i]);
      if (known) known.push(latent);
      else wantedOn.set(block.tokens[i], [latent]);
    }
  }
  const together = new Map([...wanted].map((latent) => [latent, new Map<number, number>()]));
  for await (const block of entries()) {
    for (let i = 0; i < block.latents.length; i++) {
      const other = block.latents[i];
      for (const latent of wantedOn.get(block.tokens[i]) ?? []) {
        const counts = together.get(latent);
        if (latent !== other) counts?.set(other, (counts.get(other) ?? 0) + 1);
      }
    }
  }
  const tokens = (latent: number) => tokensOf.get(latent) ?? 0;
  return new Map([...together].map(([latent, counts]) => {
    const neighbours = [...counts].map(([other, both]): Neighbour => [
      both / (tokens(latent) + tokens(other) - both),
      other,
    ]);
    return [latent, likest(neighbours)];
  }));
}

/** Neighbours by the cosine of encoder rows. */
export async function encoderSimilarity(
  latents: readonly number[],
  encoder: MatrixSource,
): Promise<NeighbourLists> {
  const { columns, type } = encoder;
  const wanted: Float32Array[] = [];
  for (const latent of latents) {
    wanted.push(floatsOf(await encoder.read(latent, latent + 1), type));
  }
  const similarity = new Similarities(latents, wanted, encoder.rows);
  for await (const { first, rows, bytes } of rowBlocks(encoder)) {
    similarity.add(first, rows, floatsOf(bytes, type), columns);
  }
  return similarity.neighbours();
}

/**
 * Neighbours by the cosine of decoder rows.
 *
 * @param width latents of the SAE
 */
export async function decoderSimilarity(
  latents: readonly number[],
  decoder: Decoder,
  width: number,
): Promise<NeighbourLists> {
  const columns = decoder.bias.length;
  const rows = await decoder.rows(latents);
  const wanted = latents.map((_, i) => rows.subarray(i * columns, (i + 1) * columns));
  const similarity = new Similarities(latents, wanted, width);
  for (let first = 0; first < width; first += ROWS) {
    const count = Math.min(ROWS, width - first);
    const block = await decoder.rows(Uint32Array.from({ length: count }, (_, i) => first + i));
    similarity.add(first, count, block, columns);
  }
  return similarity.neighbours();
}

/** Cosines of some rows with all. */
class Similarities {
  readonly #latents: readonly number[];
  readonly #wanted: readonly Float32Array[];
  readonly #norms: readonly number[];
  /** Of each wanted row with every row. */
  readonly #cosines: readonly Float64Array[];

  constructor(latents: readonly number[], wanted: readonly Float32Array[], width: number) {
    this.#latents = latents;
    this.#wanted = wanted;
    this.#norms = wanted.map((row) => Math.sqrt(dot(row, row)));
    this.#cosines = wanted.map(() => new Float64Array(width));
  }

  /** @param block [rows, columns]: rows from `first` on */
  add(first: number, rows: number, block: Float32Array, columns: number): void {
    for (let i = 0; i < rows; i++) {
      const row = block.subarray(i * columns, (i + 1) * columns);
      const rowNorm = Math.sqrt(dot(row, row));
      for (const [n, wanted] of this.#wanted.entries()) {
        const norm = rowNorm * this.#norms[n];
        this.#cosines[n][first + i] = norm > 0 ? dot(wanted, row) / norm : 0;
      }
    }
  }

  neighbours(): NeighbourLists {
    return new Map(this.#latents.map((latent, n) => {
      const all = Array.from(this.#cosines[n], (cosine, other): Neighbour => [cosine, other]);
      return [latent, likest(all.filter(([, other]) => other !== latent))];
    }));
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** The likest neighbours; ties by index. */
function likest(neighbours: Neighbour[]): Neighbour[] {
  return neighbours.sort(([a, i], [b, j]) => b - a || i - j).slice(0, MOST);
}
