/**
 * SAEs in EleutherAI/sparsify's format: a folder per hookpoint with cfg.json and sae.safetensors
 * (spec train-and-interpret A.1, A.2).
 */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/safetensors.ts";
import { matrixOf, vectorOf } from "../nn/weights.ts";
import { rowDecoder } from "./decoder.ts";
import type { Sae } from "./sae.ts";

const Config = z.looseObject({
  d_in: z.number().int().positive(),
  k: z.number().int().positive(),
  num_latents: z.number().int().nonnegative().default(0),
  expansion_factor: z.number().positive().default(32),
  activation: z.string().default("topk"),
  transcode: z.boolean().default(false),
});

/**
 * Opens an SAE.
 *
 * @param config parsed cfg.json; missing fields have sparsify's defaults, unknown ones are ignored
 * @param tensors of sae.safetensors
 * @param where names the folder in messages
 * @throws InputError for fields that are malformed or not supported, and for tensors of other shapes
 */
export async function openSparsifySae(
  config: unknown,
  tensors: TensorSource,
  where: string,
): Promise<Sae> {
  const parsed = Config.safeParse(config);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${where}/cfg.json: field "${issue.path.join(".")}": ${issue.message}.`);
  }
  const { d_in, k, num_latents, expansion_factor, activation, transcode } = parsed.data;
  if (activation !== "topk") {
    throw new InputError(
      `${where}/cfg.json: activation "${activation}" is not supported, only "topk" is.`,
    );
  }
  if (transcode) {
    throw new InputError(
      `${where}/cfg.json: transcoders are not supported, only autoencoders are.`,
    );
  }
  const latents = num_latents || d_in * expansion_factor;
  if (k > latents) {
    throw new InputError(`${where}/cfg.json: k is ${k}, more than its ${latents} latents.`);
  }
  const file = `${where}/sae.safetensors`;
  const inputBias = await vectorOf(tensors, "b_dec", d_in, file);
  const hasDecoder = tensors.names().includes("W_dec");
  return {
    where,
    inputSize: d_in,
    latents,
    normalisation: "none",
    inputBias,
    encoder: matrixOf(tensors, "encoder.weight", latents, d_in, file),
    encoderBias: await vectorOf(tensors, "encoder.bias", latents, file),
    activation: { kind: "topk", k },
    decoder: hasDecoder
      ? rowDecoder(matrixOf(tensors, "W_dec", latents, d_in, file), inputBias)
      : undefined,
  };
}
