/**
 * Certified screens for TopK: cheap scores ŷ with a proved bound e on |y - ŷ|, and the latents that
 * may then still be among the k largest of y. docs/certified-topk.md has the proofs.
 */

/** Row-major vectors of f32. */
export interface Vectors {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** X Wᵀ, [x.rows, w.rows] row-major. */
export type Product = (x: Vectors, w: Vectors) => Promise<Float32Array>;

/** What a screen stores of a vector, as the numbers that it stands for. */
export type Rounding = (vector: Float32Array) => Float32Array;

/** A way to approximate x · w. */
export interface Screen {
  readonly name: string;
  readonly x: Rounding;
  readonly w: Rounding;
  /** The screen's own arithmetic errs by at most this times Σ |x̂ᵢ ŵᵢ|. */
  readonly arithmetic: number;
  /**
   * Orthonormal directions [r, columns] along which the product is exact (f32); what is rounded is the
   * rest. Unit vectors keep columns. Absent: none.
   */
  readonly exact?: Vectors;
}

/** Columns that share a norm in the bound by blocks, and a scale in {@linkcode int8Blocks}. */
export const BLOCK = 64;

/** Bound on the relative error of a sum of n products, in any order, with unit roundoff u (Higham 2002, 3.1). */
export function gamma(n: number, u: number): number {
  return n * u / (1 - n * u);
}

/** Unit roundoffs. */
export const F32 = 2 ** -24;
export const F16 = 2 ** -11;

/** Symmetric int8 with one scale per vector. */
export const int8: Rounding = (vector) => integers(vector, 127);

/** A high and a low int8 with one scale per vector: 256 hi + lo. */
export const int8Pair: Rounding = (vector) => integers(vector, 127 * 256);

/** Symmetric int8 with a scale per block. */
export const int8Blocks: Rounding = (vector) => {
  const rounded = new Float32Array(vector.length);
  for (let at = 0; at < vector.length; at += BLOCK) {
    rounded.set(int8(vector.subarray(at, at + BLOCK)), at);
  }
  return rounded;
};

/** f16 after scaling by the power of two that brings the largest value into [32, 64). */
export const f16: Rounding = (vector) => {
  const scale = 2 ** (5 - Math.floor(Math.log2(largest(vector) || 1)));
  return vector.map((value) => Math.f16round(value * scale) / scale);
};

/** The upper half of an f32, rounded to nearest. */
export const bf16: Rounding = (vector) => {
  const bits = new Uint32Array(new Float32Array(vector).buffer);
  for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] + 0x8000) & 0xffff0000;
  return new Float32Array(bits.buffer);
};

/** As it is. */
export const asIs: Rounding = (vector) => vector;

/** Nothing: what is left is bounded by its norm alone. */
export const nothing: Rounding = (vector) => new Float32Array(vector.length);

/** Whole multiples of a scale, up to ±most. Scales keep 8 bits, so that the multiples are exact in f32. */
function integers(vector: Float32Array, most: number): Float32Array {
  const scale = bf16Above(largest(vector) / most);
  if (scale === 0) return new Float32Array(vector.length);
  return vector.map((value) => Math.round(value / scale) * scale);
}

function bf16Above(value: number): number {
  const float = new Float32Array([value]);
  const bits = new Uint32Array(float.buffer);
  bits[0] = (bits[0] + 0xffff) & 0xffff0000;
  return float[0];
}

function largest(vector: Float32Array): number {
  let most = 0;
  for (let i = 0; i < vector.length; i++) most = Math.max(most, Math.abs(vector[i]));
  return most;
}

/** Norms of one vector. */
interface Norms {
  readonly one: number;
  readonly two: number;
  readonly infinite: number;
}

function norms(vector: Float32Array): Norms {
  let [one, squares, infinite] = [0, 0, 0];
  for (let i = 0; i < vector.length; i++) {
    const size = Math.abs(vector[i]);
    one += size;
    squares += size * size;
    infinite = Math.max(infinite, size);
  }
  return { one, two: Math.sqrt(squares), infinite };
}

/** The least of Cauchy–Schwarz and both of Hölder's bounds on |a · b|. */
function leastBound(a: Norms, b: Norms): number {
  return Math.min(a.two * b.two, a.one * b.infinite, a.infinite * b.one);
}

/** Sizes of vectors: of each as a whole, and of its blocks. */
interface Sizes {
  readonly whole: readonly Norms[];
  /** Euclidean, [rows, blocks]. */
  readonly blocks: Float64Array;
}

function sizesOf(vectors: Vectors): Sizes {
  const perRow = Math.ceil(vectors.columns / BLOCK);
  const blocks = new Float64Array(vectors.rows * perRow);
  const whole = Array.from({ length: vectors.rows }, (_, row) => {
    const vector = rowOf(vectors, row);
    for (let block = 0; block < perRow; block++) {
      const part = vector.subarray(block * BLOCK, (block + 1) * BLOCK);
      blocks[row * perRow + block] = norms(part).two;
    }
    return norms(vector);
  });
  return { whole, blocks };
}

/** Vectors as a screen has them, and all that its bounds need to know of what it leaves out. */
interface Rounded {
  readonly vectors: Vectors;
  readonly original: Sizes;
  readonly stored: Sizes;
  readonly rest: Sizes;
}

function round(vectors: Vectors, rounding: Rounding): Rounded {
  const { rows, columns } = vectors;
  const values = new Float32Array(vectors.values.length);
  for (let row = 0; row < rows; row++) values.set(rounding(rowOf(vectors, row)), row * columns);
  const stored = { rows, columns, values };
  const rest = { rows, columns, values: vectors.values.map((value, i) => value - values[i]) };
  return {
    vectors: stored,
    original: sizesOf(vectors),
    stored: sizesOf(stored),
    rest: sizesOf(rest),
  };
}

/** One row of some vectors, sharing their memory. */
export function rowOf({ columns, values }: Vectors, row: number): Float32Array {
  return values.subarray(row * columns, (row + 1) * columns);
}

/** Scores of a screen, and bounds on how far y may be from them; [tokens, latents] each. */
export interface Screened {
  readonly tokens: number;
  readonly latents: number;
  readonly scores: Float32Array;
  /** By Cauchy–Schwarz on whole vectors. */
  readonly cauchy: Float32Array;
  /** By the least of Cauchy–Schwarz and Hölder, term by term. */
  readonly holder: Float32Array;
  /** By Cauchy–Schwarz on blocks of columns. */
  readonly blocks: Float32Array;
}

/** Latents that are screened at a time. */
const PIECE = 8192;

/**
 * Screens y = X Wᵀ + b. The bounds hold for y as the f32 kernels compute it, and for exact arithmetic.
 *
 * @param product of f32; where it rounds, so do the scores, which the bounds allow for
 */
export async function screenTokens(
  screen: Screen,
  x: Vectors,
  w: Vectors,
  bias: Float32Array | undefined,
  product: Product,
): Promise<Screened> {
  const size = x.rows * w.rows;
  const [scores, cauchy, holder, blocks] = Array.from({ length: 4 }, () => new Float32Array(size));
  const [tokens, fixed] = await split(x, screen.exact, product);
  const rounded = round(tokens, screen.x);
  const lengths = Array.from({ length: x.rows }, (_, token) => norms(rowOf(x, token)).two);
  // The exact kernel's sum, the f32 sum of these scores, and the projections on directions.
  const sums = (screen.exact ? 4 : 2) * gamma(x.columns + 2, F32);
  for (let first = 0; first < w.rows; first += PIECE) {
    const rows = Math.min(PIECE, w.rows - first);
    const values = w.values.subarray(first * w.columns, (first + rows) * w.columns);
    const piece = { rows, columns: w.columns, values };
    const [latents, directed] = await split(piece, screen.exact, product);
    const weights = round(latents, screen.w);
    const products = await product(rounded.vectors, weights.vectors);
    const exact = fixed && directed ? await product(fixed, directed) : undefined;
    const byBlocks = blockBounds(rounded, weights);
    for (let latent = 0; latent < rows; latent++) {
      const length = norms(rowOf(piece, latent)).two;
      const offset = bias?.[first + latent] ?? 0;
      for (let token = 0; token < x.rows; token++) {
        const [from, to] = [token * rows + latent, token * w.rows + first + latent];
        const [xs, dx] = [rounded.original.whole[token], rounded.rest.whole[token]];
        const [stored, dw] = [weights.stored.whole[latent], weights.rest.whole[latent]];
        const rounding = sums * lengths[token] * length + 4 * F32 * Math.abs(offset) +
          screen.arithmetic * rounded.stored.whole[token].two * stored.two;
        scores[to] = products[from] + (exact?.[from] ?? 0) + offset;
        cauchy[to] = upwards(xs.two * dw.two + dx.two * stored.two + rounding);
        holder[to] = upwards(leastBound(xs, dw) + leastBound(dx, stored) + rounding);
        blocks[to] = upwards(byBlocks[from] + rounding);
      }
    }
  }
  return { tokens: x.rows, latents: w.rows, scores, cauchy, holder, blocks };
}

/** A number as f32, never below it: what bounds need when they are stored. */
function upwards(value: number): number {
  return value * (1 + 2 ** -22);
}

/** What is left of vectors beside their parts along `exact`, and those parts. */
async function split(
  vectors: Vectors,
  exact: Vectors | undefined,
  product: Product,
): Promise<[rest: Vectors, parts: Vectors | undefined]> {
  if (!exact) return [vectors, undefined];
  const { rows, columns } = vectors;
  const parts = { rows, columns: exact.rows, values: await product(vectors, exact) };
  const along = await product(parts, transposed(exact));
  const values = vectors.values.map((value, i) => value - along[i]);
  return [{ rows, columns, values }, parts];
}

function transposed({ rows, columns, values }: Vectors): Vectors {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column];
    }
  }
  return { rows: columns, columns: rows, values: turned };
}

/** Σ over blocks of |x| |w - ŵ| + |x - x̂| |ŵ|, [tokens, latents]. */
function blockBounds(x: Rounded, w: Rounded): Float64Array {
  const [tokens, latents] = [x.vectors.rows, w.vectors.rows];
  const perRow = Math.ceil(x.vectors.columns / BLOCK);
  const bounds = new Float64Array(tokens * latents);
  for (let token = 0; token < tokens; token++) {
    for (let latent = 0; latent < latents; latent++) {
      let sum = 0;
      for (let block = 0; block < perRow; block++) {
        const [a, b] = [token * perRow + block, latent * perRow + block];
        sum += x.original.blocks[a] * w.rest.blocks[b] + x.rest.blocks[a] * w.stored.blocks[b];
      }
      bounds[token * latents + latent] = sum;
    }
  }
  return bounds;
}

/**
 * Latents of one token that may be among the k largest of ReLU(y), ties included: those whose upper
 * bound is positive and reaches the k-th largest lower bound.
 */
export function candidates(scores: Float32Array, bounds: Float32Array, k: number): number[] {
  const threshold = Math.max(0, kthLargest(scores.map((score, i) => score - bounds[i]), k));
  const found: number[] = [];
  scores.forEach((score, latent) => {
    const upper = score + bounds[latent];
    if (upper > 0 && upper >= threshold) found.push(latent);
  });
  return found;
}

/** The k-th largest value; -∞ when there are fewer. */
export function kthLargest(values: Float32Array, k: number): number {
  const kept = new Float64Array(k).fill(-Infinity); // Descending.
  for (const value of values) {
    if (!(value > kept[k - 1])) continue;
    let at = k - 1;
    for (; at > 0 && kept[at - 1] < value; at--) kept[at] = kept[at - 1];
    kept[at] = value;
  }
  return kept[k - 1];
}

/** The first of some vectors, sharing their memory. */
export function firstOf({ columns, values }: Vectors, rows: number): Vectors {
  return { rows, columns, values: values.subarray(0, rows * columns) };
}

/** Unit vectors along the columns with the largest sums of squares: outlier columns. */
export function largestColumns({ rows, columns, values }: Vectors, count: number): Vectors {
  const squares = new Float64Array(columns);
  for (let at = 0; at < rows * columns; at++) squares[at % columns] += values[at] ** 2;
  const order = [...squares.keys()].sort((a, b) => squares[b] - squares[a]);
  const units = new Float32Array(count * columns);
  for (let row = 0; row < count; row++) units[row * columns + order[row]] = 1;
  return { rows: count, columns, values: units };
}

/** Rounds of orthogonal iteration: directions need not be converged, only orthonormal. */
const ROUNDS = 8;

/**
 * About the `count` directions along which vectors have most of their squares, the largest first, by
 * orthogonal iteration.
 */
export function principalDirections(vectors: Vectors, count: number): Vectors {
  const { columns } = vectors;
  const moments = secondMoments(vectors);
  const start = [...largestColumns(vectors, count).values];
  let basis = Array.from(
    { length: count },
    (_, i) => Float64Array.from(start.slice(i * columns, (i + 1) * columns)),
  );
  for (let round = 0; round < ROUNDS; round++) {
    basis = basis.map((direction) => times(moments, direction));
    orthonormalise(basis);
  }
  orthonormalise(basis); // Once leaves what cancellation spoils.
  return { rows: count, columns, values: Float32Array.from(basis.flatMap((row) => [...row])) };
}

function secondMoments({ rows, columns, values }: Vectors): Float64Array[] {
  const moments = Array.from({ length: columns }, () => new Float64Array(columns));
  for (let row = 0; row < rows; row++) {
    const vector = values.subarray(row * columns, (row + 1) * columns);
    for (let i = 0; i < columns; i++) {
      const [line, value] = [moments[i], vector[i]];
      for (let j = 0; j < columns; j++) line[j] += value * vector[j];
    }
  }
  return moments;
}

function times(matrix: readonly Float64Array[], vector: Float64Array) {
  return Float64Array.from(matrix, (row) => dot(row, vector));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Modified Gram–Schmidt, in place. */
function orthonormalise(basis: readonly Float64Array[]): void {
  basis.forEach((vector, at) => {
    for (const before of basis.slice(0, at)) {
      const part = dot(vector, before);
      for (let i = 0; i < vector.length; i++) vector[i] -= part * before[i];
    }
    const length = Math.sqrt(dot(vector, vector)) || 1;
    for (let i = 0; i < vector.length; i++) vector[i] /= length;
  });
}
