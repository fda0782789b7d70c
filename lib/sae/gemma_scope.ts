/**
 * SAEs of GemmaScope: params.npz in a folder `layer_L/width_W/average_l0_N` of a repository per place
 * (spec other-systems A8). Sizes are the tensors'; there is no config.
 *
 *   a = W_encᵀ x + b_enc;  f = a where a > max(0, threshold);  y = W_decᵀ f + b_dec
 *
 * The decoder's bias is not subtracted from the input. W_enc holds a latent per column, W_dec a latent
 * per row.
 */
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { strideOf } from "../gpu/rows.ts";
import { matrixOf, vectorOf } from "../nn/weights.ts";
import { transposedOf } from "./column_matrix.ts";
import { rowDecoder } from "./decoder.ts";
import type { Sae } from "./sae.ts";
import { jumpRelu } from "./thresholds.ts";

/**
 * Opens an SAE.
 *
 * @param tensors of params.npz, or of a safetensors file with the same names
 * @param where names the folder in messages
 * @throws InputError for tensors that are missing or whose shapes do not fit each other
 */
export async function openGemmaScopeSae(tensors: TensorSource, where: string): Promise<Sae> {
  const file = `${where}/params.npz`;
  const { shape } = tensors.info("W_enc");
  const [inputSize, latents] = shape;
  if (shape.length !== 2 || !(inputSize > 0) || !(latents > 0)) {
    throw new InputError(`${file}: "W_enc" has shape [${shape}], expected a matrix [d, latents].`);
  }
  const bias = await vectorOf(tensors, "b_dec", inputSize, file);
  return {
    where,
    inputSize,
    latents,
    normalisation: "none",
    inputBias: new Float32Array(strideOf(inputSize)),
    encoder: transposedOf(tensors, "W_enc", inputSize, latents, file),
    encoderBias: await vectorOf(tensors, "b_enc", latents, file),
    activation: await jumpRelu(tensors, "threshold", latents, file),
    decoder: tensors.names().includes("W_dec")
      ? rowDecoder(matrixOf(tensors, "W_dec", latents, inputSize, file), bias)
      : undefined,
  };
}

/**
 * The hookpoint of an SAE: the layer is in its folder's path, the place in the repository's name
 * (`gemma-scope-2b-pt-res`, `gemma-scope-9b-pt-mlp-canonical`) or in a folder `res` or `mlp`.
 *
 * @param path repository and folder, with `/` between their parts
 * @throws InputError when the path lacks either, or names a place that is not supported
 */
export function gemmaScopeHookpoint(path: string): string {
  const parts = path.split("/");
  const layer = lastMatch(parts, /^layer_(\d{1,6})$/);
  const place = lastMatch(parts, /^(?:gemma-scope-.*-)?(res|mlp|att|transcoders)(?:-canonical)?$/);
  if (layer === undefined) {
    throw new InputError(`${path}: expected a folder layer_L in this path, L the SAE's layer.`);
  }
  if (place === "res") return `layers.${Number(layer)}`;
  if (place === "mlp") return `layers.${Number(layer)}.mlp`;
  if (place === undefined) {
    throw new InputError(
      `${path}: this path does not say what its SAEs read; put them into a folder named "res" ` +
        `(residual stream) or "mlp" (the MLP's output).`,
    );
  }
  throw new InputError(
    `${path}: GemmaScope's "${place}" is not supported, only "res" and "mlp" are.`,
  );
}

function lastMatch(parts: readonly string[], pattern: RegExp): string | undefined {
  return parts.map((part) => pattern.exec(part)?.[1]).findLast((found) => found !== undefined);
}
