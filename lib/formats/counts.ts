/**
 * Counts of one (model, SAE or neurons, corpus, language): all that identification needs, whatever
 * the corpus size. A commutative monoid (see lib/lape/counts.ts for the algebra); this file fixes
 * its shape and its bytes.
 */

import { documentTensors, LABELS, readDocuments } from "./counts_documents.ts";
import { bad, type CountsFile, readI64, tensorData } from "./counts_tensors.ts";
import { encodeSafetensors, parseHeader, type Tensor } from "./safetensors.ts";
import { tensorInfo } from "./tensor_source.ts";

/** Exponent of the fixed point in which activations are summed: one unit is 2^-24. */
export const SUM_FRACTION_BITS = 24;

/**
 * Arrays are row-major `[layers.length, width]`; row `r` belongs to the absolute layer `layers[r]`.
 */
export interface Counts {
  /** Absolute layer number of each row, ascending. */
  readonly layers: readonly number[];
  /** Latents (or neurons) per layer. */
  readonly width: number;
  /** Number of examples (texts). */
  examples: number;
  /** Number of tokens, BOS included. */
  tokens: number;
  /** over_zero_token: tokens on which the latent fired. */
  firedTokens: Uint32Array<ArrayBuffer>;
  /** over_zero_example: examples in which the latent fired at least once. */
  firedExamples: Uint32Array<ArrayBuffer>;
  /**
   * over_zero_total in fixed point (units of 2^-SUM_FRACTION_BITS): integers add exactly, so sums do
   * not depend on order, batch size or how the corpus was split.
   */
  sum: BigInt64Array<ArrayBuffer>;
  /** max_active_over_zero: largest activation; 0 where there was none above 0. */
  max: Float32Array<ArrayBuffer>;
  /** min_active_over_zero: smallest counted activation; +Infinity where nothing was counted. */
  min: Float32Array<ArrayBuffer>;
  /** The same tokens by group of documents; absent where they were not counted so. */
  documents?: DocumentCounts;
  /** Sums of what the hookpoints passed on; absent where they were not added up. */
  activations?: ActivationSums;
}

/**
 * Tokens on which each unit fired, by group of documents: what intervals and held-out checks draw
 * from. Sparse (CSR by group): group `g` has entries `offsets[g]` to `offsets[g + 1]`.
 */
export interface DocumentCounts {
  /** One per group, e.g. "udhr:12"; strictly ascending as strings compare (by UTF-16 unit). */
  readonly labels: readonly string[];
  /** [groups] tokens counted, not 0. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** [groups + 1], from 0, not descending. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** [entries] row * width + index, strictly ascending within a group. */
  readonly units: Uint32Array<ArrayBuffer>;
  /** [entries] tokens of the group on which the unit fired, not 0. */
  readonly firedTokens: Uint32Array<ArrayBuffer>;
}

/** Sums, over the counted tokens, of the activation vectors at the hookpoints. */
export interface ActivationSums {
  /** Length of an activation vector. */
  readonly width: number;
  /** [layers.length * width], in units of 2^-SUM_FRACTION_BITS. */
  readonly sum: BigInt64Array<ArrayBuffer>;
}

const SUM_SCALE = 2 ** SUM_FRACTION_BITS;
const U32_MAX = 0xffff_ffff;
const I32_MAX = 0x7fff_ffff;
/** Most layers that are read; the deepest models have some hundred. */
const MAX_LAYERS = 65_536;
/** Ours, beside the originals' five tensors: the exact sum of which over_zero_total is the rounding. */
const EXACT_SUM = "sum_fixed_24";
const ACTIVATION_SUM = "activation_sum_fixed_24";

/**
 * A safetensors file of counts: the originals' five tensors `[layers, width]` (spec section 4) plus
 * the exact sums and, where counted, the groups of documents (counts_documents.ts) and the sums of
 * activations `[layers, activation width]`; num_examples, num_tokens and the layers are in the
 * metadata. Decoding gives the same counts back, bit for bit.
 *
 * @param extraMetadata further metadata, such as hashes of what was counted
 */
export function encodeCounts(
  counts: Readonly<Counts>,
  extraMetadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const shape = [counts.layers.length, counts.width];
  const { activations, documents } = counts;
  const f32 = (data: Float32Array): Tensor => ({ dtype: "F32", shape, data });
  return encodeSafetensors({
    over_zero_token: integers(counts.firedTokens, shape),
    over_zero_example: integers(counts.firedExamples, shape),
    over_zero_total: f32(totalsOf(counts.sum)),
    max_active_over_zero: f32(counts.max),
    min_active_over_zero: f32(counts.min.map(storedMin)),
    [EXACT_SUM]: { dtype: "I64", shape, data: counts.sum },
    ...activations && {
      [ACTIVATION_SUM]: {
        dtype: "I64",
        shape: [counts.layers.length, activations.width],
        data: activations.sum,
      },
    },
    ...documents && documentTensors(documents),
  }, {
    ...extraMetadata,
    ...documents && { [LABELS]: JSON.stringify(documents.labels) },
    num_examples: String(counts.examples),
    num_tokens: String(counts.tokens),
    layers: counts.layers.join(","),
  });
}

/**
 * Counts from a safetensors file. Files without our additions are read too: rows are then layers
 * 0, 1, …, and the sums are as exact as over_zero_total, a float32, is.
 *
 * @param where names the file in messages
 * @throws InputError when a tensor or a number is missing or impossible
 */
export function decodeCounts(bytes: Uint8Array<ArrayBuffer>, where: string): Counts {
  const header = parseHeader(bytes, bytes.length, where);
  const shape = tensorInfo(header.tensors, "over_zero_token", where).shape;
  if (shape.length !== 2) throw bad(where, `over_zero_token has shape [${shape}], not two sizes`);
  // a tensor without columns takes no bytes, however many rows it claims
  if (shape[0] > MAX_LAYERS) throw bad(where, `it has ${shape[0]} layers, more than ${MAX_LAYERS}`);
  const file: CountsFile = { bytes, header, shape, where };
  return {
    layers: readLayers(file),
    width: shape[1],
    examples: readNumber(file, "num_examples"),
    tokens: readNumber(file, "num_tokens"),
    firedTokens: readCounts(file, "over_zero_token"),
    firedExamples: readCounts(file, "over_zero_example"),
    sum: header.tensors.has(EXACT_SUM)
      ? readI64(file, EXACT_SUM, shape)
      : fixedPoint(file, readFloats(file, "over_zero_total")),
    max: readFloats(file, "max_active_over_zero"),
    min: readFloats(file, "min_active_over_zero").map(meantMin),
    ...header.metadata[LABELS] !== undefined && { documents: readDocuments(file) },
    ...header.tensors.has(ACTIVATION_SUM) && { activations: readActivationSums(file) },
  };
}

function readActivationSums(file: CountsFile): ActivationSums {
  const { shape } = tensorInfo(file.header.tensors, ACTIVATION_SUM, file.where);
  const [rows] = file.shape;
  if (shape.length !== 2 || shape[0] !== rows) {
    throw bad(file.where, `${ACTIVATION_SUM} has shape [${shape}], expected ${rows} rows`);
  }
  return { width: shape[1], sum: readI64(file, ACTIVATION_SUM, shape) };
}

/** Sums in float32. By halves: millions of bigints would fill the memory that counts are kept small for. */
function totalsOf(sums: BigInt64Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const low = new Uint32Array(sums.buffer, sums.byteOffset, 2 * sums.length);
  const high = new Int32Array(sums.buffer, sums.byteOffset, 2 * sums.length);
  const totals = new Float32Array(sums.length);
  for (let i = 0; i < totals.length; i++) {
    totals[i] = (high[2 * i + 1] * 2 ** 32 + low[2 * i]) / SUM_SCALE;
  }
  return totals;
}

/** The originals store "nothing counted" as 0; a counted minimum of exactly 0 is told apart as -0. */
function storedMin(min: number): number {
  if (min === Infinity) return 0;
  return min === 0 ? -0 : min;
}

function meantMin(stored: number): number {
  if (Object.is(stored, 0)) return Infinity;
  return stored === 0 ? 0 : stored;
}

/** I32 as the originals have it, I64 where a count does not fit. */
function integers(values: Uint32Array<ArrayBuffer>, shape: number[]): Tensor {
  return values.some((value) => value > I32_MAX)
    ? { dtype: "I64", shape, data: BigInt64Array.from(values, BigInt) }
    : { dtype: "I32", shape, data: new Int32Array(values) };
}

function readFloats(file: CountsFile, name: string): Float32Array<ArrayBuffer> {
  const values = new Float32Array(tensorData(file, name, file.shape, "F32"));
  if (values.some(Number.isNaN)) throw bad(file.where, `${name} holds a NaN`);
  return values;
}

function readCounts(file: CountsFile, name: string): Uint32Array<ArrayBuffer> {
  const data = tensorData(file, name, file.shape, "I32", "I64");
  const wide = tensorInfo(file.header.tensors, name, file.where).dtype === "I64";
  const values = wide ? Array.from(new BigInt64Array(data), Number) : new Int32Array(data);
  if (values.some((value) => value < 0 || value > U32_MAX)) {
    throw bad(file.where, `${name} holds a number that is not a count`);
  }
  return Uint32Array.from(values);
}

function fixedPoint(
  file: CountsFile,
  totals: Float32Array<ArrayBuffer>,
): BigInt64Array<ArrayBuffer> {
  if (totals.some((total) => Math.abs(total) * SUM_SCALE >= 2 ** 63)) {
    throw bad(file.where, "over_zero_total holds a sum past 64 bits of fixed point");
  }
  return BigInt64Array.from(totals, (total) => BigInt(Math.round(total * SUM_SCALE)));
}

function readNumber({ header, where }: CountsFile, key: string): number {
  const value = Number(header.metadata[key] || NaN);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw bad(where, `its metadata has no usable ${key}`);
  }
  return value;
}

function readLayers({ header, shape: [rows], where }: CountsFile): number[] {
  const text = header.metadata.layers;
  if (text === undefined) return Array.from({ length: rows }, (_, row) => row);
  const layers = text === "" ? [] : text.split(",").map(Number);
  const ascending = layers.every((layer, row) =>
    Number.isSafeInteger(layer) && layer >= 0 && (row === 0 || layer > layers[row - 1])
  );
  if (!ascending || layers.length !== rows) {
    throw bad(where, `its metadata names the layers ${JSON.stringify(text)} for ${rows} rows`);
  }
  return layers;
}
