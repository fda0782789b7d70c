/**
 * The algebra of `Counts`: a commutative monoid. Resuming, sharding and pooling are all
 * `mergeCounts`; `emptyCounts` is its identity.
 */
import type { ActivationSums, Counts, DocumentCounts } from "../formats/counts.ts";
import { InputError } from "../formats/input_error.ts";
import { mergeDocuments } from "./counts_documents.ts";
import { roundHalfToEven } from "./rounding.ts";

const U32_MAX = 0xffff_ffff;

/**
 * Counts of no text at all.
 *
 * @param layers absolute layer numbers, strictly ascending
 * @param width latents (or neurons) per layer
 * @throws {RangeError} layers out of order: the (layer, index) tie rule relies on ascending rows
 */
export function emptyCounts(layers: readonly number[], width: number): Counts {
  if (layers.some((layer, row) => row > 0 && layer <= layers[row - 1])) {
    throw new RangeError(`Layers must be strictly ascending, got ${layers.join(", ")}.`);
  }
  const size = layers.length * width;
  return {
    layers: [...layers],
    width,
    examples: 0,
    tokens: 0,
    firedTokens: new Uint32Array(size),
    firedExamples: new Uint32Array(size),
    sum: new BigInt64Array(size),
    max: new Float32Array(size),
    min: new Float32Array(size).fill(Infinity),
  };
}

/**
 * Counts of two disjoint sets of texts taken together. Exact: integers add, extremes compare. Groups
 * of documents and sums of activations are kept only where both sides have them, or count no text:
 * what covers a part of the texts must not be taken for the whole.
 *
 * @throws {InputError} the two were counted over different layers or widths
 * @throws {RangeError} a token or example count passes 2^32 - 1, or a sum leaves 64 bits
 */
export function mergeCounts(a: Counts, b: Counts): Counts {
  if (!sameShape(a, b)) {
    throw new InputError(
      `Counts of ${shapeOf(a)} and of ${shapeOf(b)} cannot be merged, ` +
        `expected the same layers and width: count both with the same model, SAEs and --layer.`,
    );
  }
  const documents = mergePart(a, b, ({ documents }) => documents, mergeDocuments);
  const activations = mergePart(a, b, ({ activations }) => activations, addActivations);
  return {
    layers: a.layers,
    width: a.width,
    examples: a.examples + b.examples,
    tokens: a.tokens + b.tokens,
    firedTokens: addU32(a.firedTokens, b.firedTokens, "fired tokens"),
    firedExamples: addU32(a.firedExamples, b.firedExamples, "fired examples"),
    sum: addI64(a.sum, b.sum),
    max: a.max.map((value, i) => Math.max(value, b.max[i])),
    min: a.min.map((value, i) => Math.min(value, b.min[i])),
    ...documents && { documents },
    ...activations && { activations },
  };
}

/** A part that not all counts have, merged; nothing where texts without it were counted. */
function mergePart<T>(
  a: Counts,
  b: Counts,
  part: (counts: Counts) => T | undefined,
  merge: (a: T, b: T) => T,
): T | undefined {
  const lacks = (counts: Counts) => !part(counts) && (counts.examples > 0 || counts.tokens > 0);
  if (lacks(a) || lacks(b)) return undefined;
  const [ours, theirs] = [part(a), part(b)];
  return ours && theirs ? merge(ours, theirs) : ours ?? theirs;
}

function addActivations(a: ActivationSums, b: ActivationSums): ActivationSums {
  if (a.width !== b.width) {
    throw new InputError(
      `Sums of activations of width ${a.width} and of width ${b.width} cannot be merged, ` +
        `expected the same hookpoints of the same model: count both with the same model and --layer.`,
    );
  }
  return { width: a.width, sum: addI64(a.sum, b.sum) };
}

/** Whether two counts are equal bit for bit (0 and -0 count as equal). */
export function equalCounts(a: Counts, b: Counts): boolean {
  return sameShape(a, b) && a.examples === b.examples && a.tokens === b.tokens &&
    equalArrays(a.firedTokens, b.firedTokens) && equalArrays(a.firedExamples, b.firedExamples) &&
    equalArrays(a.sum, b.sum) && equalArrays(a.max, b.max) && equalArrays(a.min, b.min) &&
    equalDocuments(a.documents, b.documents) && equalActivations(a.activations, b.activations);
}

function equalDocuments(a?: DocumentCounts, b?: DocumentCounts): boolean {
  if (!a || !b) return a === b;
  return equalArrays(a.labels, b.labels) && equalArrays(a.tokens, b.tokens) &&
    equalArrays(a.offsets, b.offsets) && equalArrays(a.units, b.units) &&
    equalArrays(a.firedTokens, b.firedTokens);
}

function equalActivations(a?: ActivationSums, b?: ActivationSums): boolean {
  if (!a || !b) return a === b;
  return a.width === b.width && equalArrays(a.sum, b.sum);
}

/**
 * Counts with max and min as the original stores them: rounded half to even at 3 decimals in
 * float32 (spec 4). Rounding is monotone, hence it gives the same before and after merging.
 */
export function roundedCounts(counts: Counts): Counts {
  return {
    ...counts,
    max: counts.max.map(roundTo3Decimals),
    min: counts.min.map(roundTo3Decimals),
  };
}

/** Whether rows and columns of two counts mean the same layers and latents. */
export function sameShape(a: Counts, b: Counts): boolean {
  return a.width === b.width && equalArrays(a.layers, b.layers);
}

/** The shape in words, for messages: `layers 0, 1, 2 x 2048`. */
export function shapeOf(counts: Counts): string {
  return `layers ${counts.layers.join(", ")} x ${counts.width}`;
}

function roundTo3Decimals(value: number): number {
  return roundHalfToEven(Math.fround(value * 1000)) / 1000;
}

function addU32(
  a: Uint32Array<ArrayBuffer>,
  b: Uint32Array<ArrayBuffer>,
  what: string,
): Uint32Array<ArrayBuffer> {
  return a.map((value, i) => {
    const total = value + b[i];
    if (total > U32_MAX) {
      throw new RangeError(`The ${what} at position ${i} add up to ${total}, more than 2^32 - 1.`);
    }
    return total;
  });
}

function addI64(
  a: BigInt64Array<ArrayBuffer>,
  b: BigInt64Array<ArrayBuffer>,
): BigInt64Array<ArrayBuffer> {
  const sums = new BigInt64Array(a.length);
  const [as, bs] = [halves(a), halves(b)];
  const low = new Uint32Array(sums.buffer);
  const high = new Int32Array(sums.buffer);
  // By halves: millions of bigints take seconds and fill the memory.
  for (let i = 0; i < sums.length; i++) {
    const lower = as.low[2 * i] + bs.low[2 * i];
    const upper = as.high[2 * i + 1] + bs.high[2 * i + 1] + (lower >= 2 ** 32 ? 1 : 0);
    if (upper !== (upper | 0)) {
      throw new RangeError(`The activation sums at position ${i} leave the range of 64 bits.`);
    }
    low[2 * i] = lower;
    high[2 * i + 1] = upper;
  }
  return sums;
}

/** 64-bit integers as 32-bit words, the low one first. */
function halves(values: BigInt64Array<ArrayBuffer>) {
  const { buffer, byteOffset, length } = values;
  return {
    low: new Uint32Array(buffer, byteOffset, 2 * length),
    high: new Int32Array(buffer, byteOffset, 2 * length),
  };
}

function equalArrays<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
