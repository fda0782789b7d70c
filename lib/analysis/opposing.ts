/** Where decoder rows point: along the decoder's bias, and against which other row (spec section 12). */
import type { Decoder } from "../sae/sae.ts";

/** Directions of one feature of an SAE. */
export interface DecoderDirections {
  readonly index: number;
  /** cos(b_dec, W_dec row); NaN where one of them is zero. */
  readonly bias: number;
  /** The latent whose decoder row has the lowest cosine with the feature's, ties by lower index;
   * undefined for a feature whose row is zero. */
  readonly opposing: Opposing | undefined;
}

/** A latent and the cosine of its decoder row with a feature's. */
export interface Opposing {
  readonly index: number;
  readonly cosine: number;
}

/**
 * Bytes of decoder rows held at a time. Large, since a decoder stored by columns is read from end to
 * end for each piece.
 */
const BLOCK_BYTES = 128 * 2 ** 20;

/**
 * Compares features with the bias and with every row of the decoder, in f64 on the host: latents ×
 * width × features products, about 10^9 of them a second. Rows of zeros oppose nothing.
 *
 * @param latents rows of the decoder
 * @param features latents to compare
 * @param read told the number of rows that were compared, after each block
 * @param blockBytes of rows that are held at a time
 */
export async function decoderDirections(
  decoder: Decoder,
  latents: number,
  features: readonly number[],
  read: (rows: number) => void = () => {},
  blockBytes = BLOCK_BYTES,
): Promise<DecoderDirections[]> {
  const width = decoder.bias.length;
  const own = Float64Array.from(await decoder.rows(features));
  const vectors = features.map((_, i) => unit(own.subarray(i * width, (i + 1) * width)));
  const bias = unit(Float64Array.from(decoder.bias));
  const lowest = features.map((): Opposing | undefined => undefined);
  const most = Math.max(1, Math.floor(blockBytes / (width * 4)));
  for (let first = 0; first < latents; first += most) {
    const count = Math.min(most, latents - first);
    const rows = await decoder.rows(Uint32Array.from({ length: count }, (_, i) => first + i));
    for (let i = 0; i < count; i++) {
      const row = rows.subarray(i * width, (i + 1) * width);
      const norm = Math.sqrt(dot(row, row));
      if (norm === 0) continue;
      for (const [f, vector] of vectors.entries()) {
        const cosine = dot(row, vector) / norm;
        if (cosine < (lowest[f]?.cosine ?? Infinity)) lowest[f] = { index: first + i, cosine };
      }
    }
    read(first + count);
  }
  return features.map((index, f) => ({
    index,
    bias: dot(bias, vectors[f]),
    opposing: lowest[f],
  }));
}

/** The vector divided by its length; NaN for one of zeros. */
function unit(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / norm);
}

/** Four sums side by side: one alone would wait for each of its additions. */
function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < a.length; i++) s0 += a[i] * b[i];
  return s0 + s1 + (s2 + s3);
}
