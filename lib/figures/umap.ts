/** UMAP (McInnes, Healy & Melville 2018) of directions, by their cosine distance. */
import { UMAP } from "umap-js";
import { seededRandom } from "../stats/random.ts";

/** As the paper has them (spec section 12). */
export interface UmapOptions {
  readonly neighbours?: number;
  readonly minDistance?: number;
  readonly seed?: number;
}

/** Rounds of layout: what UMAP has for the many rows of the paper, whatever their number here. */
const EPOCHS = 200;

/** Nearest others of every row, itself first: what UMAP begins with. */
export interface Neighbours {
  /** `[row][n]`, nearest first. */
  readonly indices: number[][];
  /** The same of cosine distances, 0 to 2. */
  readonly distances: number[][];
}

/**
 * Places in the plane, [rows][2]. Neighbours are exact, and the random numbers seeded: the same rows
 * have the same places on every machine. The published places began with a spectral layout; these with
 * random ones, so only neighbourhoods can be compared.
 *
 * @param rows [n, width] row-major
 * @throws RangeError for fewer than three rows: there is nothing to lay out
 */
export function umapOf(
  rows: Float32Array,
  width: number,
  { neighbours = 15, minDistance = 0.05, seed = 42 }: UmapOptions = {},
): number[][] {
  const count = rows.length / width;
  if (count < 3) throw new RangeError(`UMAP of ${count} rows, expected three or more`);
  const nNeighbors = Math.min(neighbours, count - 1);
  const { indices, distances } = nearestByCosine(rows, width, nNeighbors);
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors,
    minDist: minDistance,
    nEpochs: EPOCHS,
    random: seededRandom(seed),
  });
  umap.setPrecomputedKNN(indices, distances);
  // with its neighbours given, a row itself is never looked at
  return umap.fit(Array.from({ length: count }, (_, i) => [i]));
}

/**
 * The nearest rows of each row by cosine distance, itself among them; of equally near ones those first
 * that come first. A row of zeros is at the distance 1 from all others.
 *
 * @param rows [n, width] row-major
 */
export function nearestByCosine(rows: Float32Array, width: number, count: number): Neighbours {
  const total = rows.length / width;
  const unit = unitRows(rows, width);
  const distance = new Float64Array(total);
  const indices: number[][] = [];
  const distances: number[][] = [];
  for (let i = 0; i < total; i++) {
    for (let j = 0; j < total; j++) distance[j] = 1 - dot(unit, i * width, j * width, width);
    distance[i] = -1; // before its copies
    const nearest = smallest(distance, count);
    indices.push(nearest);
    distances.push(nearest.map((j) => j === i ? 0 : Math.max(0, distance[j])));
  }
  return { indices, distances };
}

function unitRows(rows: Float32Array, width: number): Float32Array {
  const unit = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += width) {
    const length = Math.sqrt(dot(rows, at, at, width));
    if (length === 0) continue;
    for (let i = at; i < at + width; i++) unit[i] = rows[i] / length;
  }
  return unit;
}

function dot(values: Float32Array, a: number, b: number, width: number): number {
  let [even, odd] = [0, 0]; // two sums at a time: one would wait for itself
  let i = 0;
  for (; i + 1 < width; i += 2) {
    even += values[a + i] * values[b + i];
    odd += values[a + i + 1] * values[b + i + 1];
  }
  return i < width ? even + odd + values[a + i] * values[b + i] : even + odd;
}

/** Indices of the `count` smallest values, ascending. */
function smallest(values: Float64Array, count: number): number[] {
  const kept: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (kept.length === count && values[i] >= values[kept[count - 1]]) continue;
    let at = kept.length;
    while (at > 0 && values[kept[at - 1]] > values[i]) at--;
    kept.splice(at, 0, i);
    if (kept.length > count) kept.pop();
  }
  return kept;
}
