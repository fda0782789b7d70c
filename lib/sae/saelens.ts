/**
 * SAEs in SAELens' format: cfg.json and sae_weights.safetensors, of version 6 and of the flat configs
 * before it (spec other-systems D1). W_enc holds a latent per column, W_dec a latent per row.
 */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { strideOf } from "../gpu/rows.ts";
import { matrixOf, vectorOf } from "../nn/weights.ts";
import { transposedOf } from "./column_matrix.ts";
import { configFields, shortName } from "./config_fields.ts";
import { rowDecoder } from "./decoder.ts";
import { rowNorms } from "./decoder_norms.ts";
import { hookpointOfHookName } from "./hook_names.ts";
import type { Activation, Normalisation, Sae } from "./sae.ts";
import { jumpRelu, sameThreshold } from "./thresholds.ts";

const size = z.number().int().positive();
const headIndex = z.number().int().nullish();

/** Fields of both generations: version 6 has `metadata`, the flat one everything at the top. */
const Config = z.object({
  architecture: shortName.default("standard"),
  d_in: size,
  d_sae: size,
  k: size.nullish(),
  rescale_acts_by_decoder_norm: z.boolean().default(false),
  apply_b_dec_to_input: z.boolean().default(true),
  normalize_activations: z.union([shortName, z.boolean()]).nullish(),
  norm_scaling_factor: z.number().positive().nullish(),
  scaling_factor: z.number().positive().nullish(),
  reshape_activations: shortName.nullish(),
  metadata: z.object({ hook_name: shortName.nullish(), hook_head_index: headIndex }).nullish(),
  hook_name: shortName.nullish(),
  hook_point: shortName.nullish(),
  hook_head_index: headIndex,
  hook_point_head_index: headIndex,
  activation_fn: shortName.nullish(),
  activation_fn_str: shortName.nullish(),
  activation_fn_kwargs: z.object({ k: size.nullish() }).nullish(),
});

type Fields = z.infer<typeof Config>;

/** Tensors that once multiplied activations after fine-tuning; only ones are neutral. */
const FINETUNING = ["scaling_factor", "finetuning_scaling_factor"];

/**
 * Opens an SAE: ReLU (`standard`), `topk` or `jumprelu`. With `rescale_acts_by_decoder_norm` this
 * reads the decoder once.
 *
 * @param config parsed cfg.json
 * @param tensors of sae_weights.safetensors
 * @param where names the folder in messages
 * @throws InputError for fields that are malformed or not supported, and for tensors of other shapes
 */
export async function openSaeLensSae(
  config: unknown,
  tensors: TensorSource,
  where: string,
): Promise<Sae> {
  const fields = configFields(Config, config, configFile(where));
  const { d_in, d_sae } = fields;
  refuseWhatReshapes(fields, configFile(where));
  const { normalisation, scale } = normalisationOf(fields, configFile(where));
  const file = `${where}/sae_weights.safetensors`;
  const encoder = transposedOf(tensors, "W_enc", d_in, d_sae, file);
  const activation = await activationOf(fields, tensors, where);
  await refuseFinetuned(tensors, file);
  // With s the scale of inputs, s x is encoded: W_enc (s x - b_dec) + b_enc, taken out of the bracket.
  const bias = (await vectorOf(tensors, "b_dec", d_in, file)).map((value) => value / scale);
  const encoderBias = await vectorOf(tensors, "b_enc", d_sae, file);
  const hasDecoder = fields.rescale_acts_by_decoder_norm || tensors.names().includes("W_dec");
  const weights = hasDecoder ? matrixOf(tensors, "W_dec", d_sae, d_in, file) : undefined;
  const norms = weights && fields.rescale_acts_by_decoder_norm
    ? await rowNorms(weights)
    : undefined;
  return {
    where,
    inputSize: d_in,
    latents: d_sae,
    normalisation,
    inputBias: fields.apply_b_dec_to_input ? bias : new Float32Array(strideOf(d_in)),
    encoder,
    encoderBias: encoderBias.map((value) => value / scale),
    latentScale: latentScale(d_sae, scale, norms),
    activation,
    decoder: weights && rowDecoder(weights, bias, norms ? (i) => 1 / norms[i] : () => 1 / scale),
  };
}

/**
 * The hookpoint of an SAE.
 *
 * @param config parsed cfg.json
 * @param where names the folder in messages
 * @throws InputError for places that this program does not reach
 */
export function saeLensHookpoint(config: unknown, where: string): string {
  const file = configFile(where);
  const fields = configFields(Config, config, file);
  const name = hookNameOf(fields);
  if (!name) {
    throw new InputError(
      `${file} has no hook_name, so it does not say what the SAE reads; add it.`,
    );
  }
  refuseWhatReshapes(fields, file);
  return hookpointOfHookName(name, file);
}

function configFile(where: string): string {
  return `${where}/cfg.json`;
}

function hookNameOf({ metadata, hook_name, hook_point }: Fields): string | null | undefined {
  return metadata?.hook_name ?? hook_name ?? hook_point;
}

/** Heads side by side, or one head alone, are no hookpoint of this program. */
function refuseWhatReshapes(fields: Fields, file: string): void {
  const { metadata, reshape_activations, hook_head_index, hook_point_head_index } = fields;
  const head = metadata?.hook_head_index ?? hook_head_index ?? hook_point_head_index;
  const reshapes = (reshape_activations ?? "none") !== "none";
  if (reshapes || typeof head === "number" || hookNameOf(fields)?.includes("hook_z")) {
    throw new InputError(
      `${file}: SAEs of attention heads (hook_z) are not supported, only those of an MLP's output or ` +
        `the residual stream.`,
    );
  }
}

/** What happens to each token's activations, and the scale of inputs that is not folded in yet. */
function normalisationOf(
  { normalize_activations, norm_scaling_factor, scaling_factor }: Fields,
  file: string,
): { normalisation: Normalisation; scale: number } {
  // Before version 6 a boolean, true for the one way there was.
  const kind = normalize_activations === true
    ? "expected_average_only_in"
    : normalize_activations || "none";
  switch (kind) {
    case "none":
    case "constant_norm_rescale":
    case "layer_norm":
      return { normalisation: kind, scale: 1 };
    case "expected_average_only_in": {
      const scale = norm_scaling_factor ?? scaling_factor;
      if (scale) return { normalisation: "none", scale };
      throw new InputError(
        `${file}: normalize_activations is expected_average_only_in, but its scale is not there; add ` +
          `norm_scaling_factor, sqrt(d_in) over the average norm of the activations.`,
      );
    }
    default:
      throw new InputError(
        `${file}: normalize_activations ${JSON.stringify(kind)} is not supported; expected none, ` +
          `expected_average_only_in, constant_norm_rescale or layer_norm.`,
      );
  }
}

async function activationOf(
  fields: Fields,
  tensors: TensorSource,
  where: string,
): Promise<Activation> {
  const { d_sae, architecture } = fields;
  const file = configFile(where);
  if (architecture === "jumprelu") {
    return await jumpRelu(tensors, "threshold", d_sae, `${where}/sae_weights.safetensors`);
  }
  const flatFunction = fields.activation_fn_str ?? fields.activation_fn ?? "relu";
  if (architecture === "topk" || (architecture === "standard" && flatFunction === "topk")) {
    const k = fields.k ?? fields.activation_fn_kwargs?.k;
    if (k && k <= d_sae) return { kind: "topk", k };
    throw new InputError(`${file}: k is ${k ?? "missing"}, expected 1 to ${d_sae} latents.`);
  }
  if (architecture === "standard" && flatFunction === "relu") return sameThreshold(d_sae, 0);
  const what = architecture === "standard" ? `activation ${flatFunction}` : architecture;
  throw new InputError(`${file}: ${refusal(what)}`);
}

function refusal(architecture: string): string {
  if (architecture.includes("transcoder")) {
    return "transcoders are not supported, only autoencoders are.";
  }
  if (architecture.includes("batchtopk")) {
    return `${
      JSON.stringify(architecture)
    } is a checkpoint of training; save it for inference, which ` +
      `makes it jumprelu.`;
  }
  return `${JSON.stringify(architecture)} SAEs are not supported, only standard (ReLU), topk and ` +
    `jumprelu ones.`;
}

async function refuseFinetuned(tensors: TensorSource, file: string): Promise<void> {
  for (const name of tensors.names().filter((name) => FINETUNING.includes(name))) {
    const [length = 1] = tensors.info(name).shape;
    const factors = await vectorOf(tensors, name, length, file);
    if (factors.subarray(0, length).every((factor) => Math.abs(factor - 1) <= 1e-5)) continue;
    throw new InputError(
      `${file}: "${name}" multiplies activations after fine-tuning, which is not supported; only ones ` +
        `are.`,
    );
  }
}

/** s for inputs that are scaled by s, |W_dec| where latents are weighed by it (s then cancels out). */
function latentScale(
  latents: number,
  scale: number,
  norms: Float64Array | undefined,
): Float32Array<ArrayBuffer> | undefined {
  if (norms) return Float32Array.from(norms);
  return scale === 1 ? undefined : new Float32Array(latents).fill(scale);
}
