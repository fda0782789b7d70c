/**
 * SAEs of Llama Scope (OpenMOSS Language-Model-SAEs): hyperparams.json and
 * checkpoints/final.safetensors, a latent per row of the encoder and per column of the decoder (spec
 * other-systems C1, C2, C9). The order is the authors':
 *
 * 1. The dataset's norm is folded in, so that the SAE reads raw activations: with
 *    c = sqrt(d) / (average norm), b_E /= c_in, b_D /= c_out, W_D *= c_in / c_out.
 * 2. With `sparsity_include_decoder_norm`, norms of the decoder's columns move to the encoder.
 * 3. Only then the threshold, or the k largest.
 */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { strideOf } from "../gpu/rows.ts";
import { matrixOf, vectorOf } from "../nn/weights.ts";
import { configFields, shortName } from "./config_fields.ts";
import { columnDecoder } from "./decoder.ts";
import { columnNorms } from "./decoder_norms.ts";
import { hookpointOfHookName } from "./hook_names.ts";
import type { Activation, Normalisation, Sae } from "./sae.ts";
import { sameThreshold } from "./thresholds.ts";

const size = z.number().int().positive();

const Config = z.object({
  hook_point_in: shortName,
  hook_point_out: shortName.nullish(),
  d_model: size,
  d_sae: size.nullish(),
  expansion_factor: z.number().positive().nullish(),
  act_fn: shortName.default("relu"),
  jump_relu_threshold: z.number().nonnegative().default(0),
  top_k: size.nullish(),
  norm_activation: shortName.default("token-wise"),
  dataset_average_activation_norm: z.object({
    in: z.number().positive(),
    out: z.number().positive(),
  }).nullish(),
  use_decoder_bias: z.boolean().default(true),
  apply_decoder_bias_to_pre_encoder: z.boolean().default(true),
  sparsity_include_decoder_norm: z.boolean().default(true),
  use_glu_encoder: z.boolean().default(false),
});

type Fields = z.infer<typeof Config>;

/**
 * Opens an SAE. Where norms of the decoder's columns matter, this reads the decoder once.
 *
 * @param config parsed hyperparams.json; missing fields have the defaults of the authors' program
 * @param tensors of checkpoints/final.safetensors
 * @param where names the folder in messages
 * @throws InputError for fields that are malformed or not supported, and for tensors of other shapes
 */
export async function openLlamaScopeSae(
  config: unknown,
  tensors: TensorSource,
  where: string,
): Promise<Sae> {
  const fields = autoencoderConfig(config, configFile(where));
  const { d_model: inputSize } = fields;
  const latents = fields.d_sae ?? inputSize * (fields.expansion_factor ?? NaN);
  const file = `${where}/checkpoints/final.safetensors`;
  const encoder = matrixOf(tensors, "encoder.weight", latents, inputSize, file);
  const weights = matrixOf(tensors, "decoder.weight", inputSize, latents, file);
  const encoderBias = await vectorOf(tensors, "encoder.bias", latents, file);
  const none = new Float32Array(strideOf(inputSize));
  const bias = fields.use_decoder_bias
    ? await vectorOf(tensors, "decoder.bias", inputSize, file)
    : none;
  const activation = activationOf(fields, latents, configFile(where));
  const { normalisation, scale } = normalisationOf(fields, configFile(where));
  const foldedBias = bias.map((value) => value / scale.out);
  const norms = fields.sparsity_include_decoder_norm ? await columnNorms(weights) : undefined;
  const folded = scale.in / scale.out;
  return {
    where,
    inputSize,
    latents,
    normalisation,
    inputBias: fields.apply_decoder_bias_to_pre_encoder ? foldedBias : none,
    encoder,
    encoderBias: encoderBias.map((value) => value / scale.in),
    latentScale: norms && Float32Array.from(norms, (norm) => norm * folded),
    activation,
    decoder: columnDecoder(weights, foldedBias, norms ? (i) => 1 / norms[i] : () => folded),
  };
}

/**
 * The hookpoint of an SAE.
 *
 * @param config parsed hyperparams.json
 * @param where names the folder in messages
 * @throws InputError for places that this program does not reach, and for transcoders
 */
export function llamaScopeHookpoint(config: unknown, where: string): string {
  const file = configFile(where);
  return hookpointOfHookName(autoencoderConfig(config, file).hook_point_in, file);
}

function configFile(where: string): string {
  return `${where}/hyperparams.json`;
}

function autoencoderConfig(config: unknown, file: string): Fields {
  const fields = configFields(Config, config, file);
  const { hook_point_in, hook_point_out } = fields;
  if (hook_point_out && hook_point_out !== hook_point_in) {
    throw new InputError(
      `${file}: transcoders are not supported, only autoencoders are: it reads ` +
        `${JSON.stringify(hook_point_in)} and writes ${JSON.stringify(hook_point_out)}.`,
    );
  }
  if (fields.use_glu_encoder) {
    throw new InputError(`${file}: use_glu_encoder is not supported; it must be false.`);
  }
  if (!fields.d_sae && !fields.expansion_factor) {
    throw new InputError(`${file}: field "d_sae" is missing; expected the number of latents.`);
  }
  return fields;
}

/** `topk` with a threshold is a converted SAE whose act_fn was left as it was in training. */
function activationOf(
  { act_fn, jump_relu_threshold, top_k }: Fields,
  latents: number,
  file: string,
): Activation {
  if (act_fn === "relu") return sameThreshold(latents, 0);
  if (act_fn === "jumprelu" || (act_fn === "topk" && jump_relu_threshold > 0)) {
    return sameThreshold(latents, jump_relu_threshold);
  }
  if (act_fn !== "topk") {
    throw new InputError(
      `${file}: act_fn ${
        JSON.stringify(act_fn)
      } is not supported; expected jumprelu, topk or relu.`,
    );
  }
  if (!top_k || top_k > latents) {
    throw new InputError(
      `${file}: top_k is ${top_k ?? "missing"}, expected 1 to ${latents} latents.`,
    );
  }
  return { kind: "topk", k: top_k };
}

/** What happens to each token's activations, and the scales of input and output to fold in. */
function normalisationOf(
  { norm_activation, dataset_average_activation_norm: average, d_model }: Fields,
  file: string,
): { normalisation: Normalisation; scale: { in: number; out: number } } {
  const unscaled = { in: 1, out: 1 };
  if (norm_activation === "none") return { normalisation: "none", scale: unscaled };
  if (norm_activation === "token-wise") {
    return { normalisation: "constant_norm_rescale", scale: unscaled };
  }
  if (norm_activation !== "dataset-wise") {
    throw new InputError(
      `${file}: norm_activation ${JSON.stringify(norm_activation)} is not supported; expected ` +
        `dataset-wise, token-wise or none.`,
    );
  }
  if (!average) {
    throw new InputError(
      `${file}: dataset_average_activation_norm is missing, without which norm_activation ` +
        `dataset-wise means nothing; fetch the file again.`,
    );
  }
  const root = Math.sqrt(d_model);
  return { normalisation: "none", scale: { in: root / average.in, out: root / average.out } };
}
