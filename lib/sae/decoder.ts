/** Decoders by the layout of their weights. */
import type { MatrixSource } from "../gpu/matrix.ts";
import { pickColumns } from "./column_matrix.ts";
import type { Decoder } from "./sae.ts";
import { floatsOf } from "./stored_rows.ts";

/** What a stored row is multiplied by, so that it fits the latent's activation. */
export type RowScale = (latent: number) => number;

const AS_STORED: RowScale = () => 1;

/**
 * A decoder stored one row per latent.
 *
 * @param weights W_dec [latents, inputSize]
 * @param bias b_dec [inputSize], may be padded
 */
export function rowDecoder(
  weights: MatrixSource,
  bias: Float32Array<ArrayBuffer>,
  scale: RowScale = AS_STORED,
): Decoder {
  const { columns, type } = weights;
  return {
    bias: bias.slice(0, columns),
    async rows(latents) {
      const rows = new Float32Array(latents.length * columns);
      for (let i = 0; i < latents.length; i++) {
        rows.set(floatsOf(await weights.read(latents[i], latents[i] + 1), type), i * columns);
      }
      return scaled(rows, latents, scale);
    },
  };
}

/**
 * A decoder stored one column per latent.
 *
 * @param weights [inputSize, latents]
 * @param bias b_dec [inputSize], may be padded
 */
export function columnDecoder(
  weights: MatrixSource,
  bias: Float32Array<ArrayBuffer>,
  scale: RowScale = AS_STORED,
): Decoder {
  return {
    bias: bias.slice(0, weights.rows),
    async rows(latents) {
      return scaled(floatsOf(await pickColumns(weights, latents), weights.type), latents, scale);
    },
  };
}

function scaled(
  rows: Float32Array<ArrayBuffer>,
  latents: ArrayLike<number>,
  scale: RowScale,
): Float32Array<ArrayBuffer> {
  const width = rows.length / latents.length;
  for (let i = 0; i < latents.length; i++) {
    const factor = scale(latents[i]);
    if (factor === 1) continue;
    for (let at = i * width; at < (i + 1) * width; at++) rows[at] *= factor;
  }
  return rows;
}
