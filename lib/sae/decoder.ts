/** Decoders by the layout of their weights. */
import { toFloat32 } from "../formats/dtype.ts";
import type { MatrixSource, WeightType } from "../gpu/matrix.ts";
import type { Decoder } from "./sae.ts";

const DTYPES = { f32: "F32", f16: "F16", bf16: "BF16" } as const satisfies Record<
  WeightType,
  string
>;

/**
 * A decoder stored one row per latent.
 *
 * @param weights W_dec [latents, inputSize]
 * @param bias b_dec [inputSize], may be padded
 */
export function rowDecoder(weights: MatrixSource, bias: Float32Array<ArrayBuffer>): Decoder {
  const { columns } = weights;
  return {
    bias: bias.slice(0, columns),
    async rows(latents) {
      const rows = new Float32Array(latents.length * columns);
      for (let i = 0; i < latents.length; i++) {
        const bytes = await weights.read(latents[i], latents[i] + 1);
        rows.set(toFloat32(bytes, DTYPES[weights.type]), i * columns);
      }
      return rows;
    },
  };
}
