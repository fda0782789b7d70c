/**
 * SAEs in EleutherAI/sparsify's format: a folder per hookpoint with cfg.json and sae.safetensors
 * (spec train-and-interpret A.1, A.2).
 */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { matrixOf, vectorOf } from "../nn/weights.ts";
import { configFields, shortName } from "./config_fields.ts";
import { rowDecoder } from "./decoder.ts";
import { hookpointOfHookName } from "./hook_names.ts";
import type { Sae } from "./sae.ts";

const Config = z.object({
  d_in: z.number().int().positive(),
  k: z.number().int().positive(),
  num_latents: z.number().int().nonnegative().default(0),
  expansion_factor: z.number().positive().default(32),
  activation: shortName.default("topk"),
  transcode: z.boolean().default(false),
  skip_connection: z.boolean().default(false),
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
  const { d_in, k, latents, grouped, transcode, skip_connection } = supportedConfig(config, where);
  const file = `${where}/sae.safetensors`;
  const outputBias = await vectorOf(tensors, "b_dec", d_in, file);
  const hasDecoder = tensors.names().includes("W_dec");
  return {
    where,
    inputSize: d_in,
    latents,
    normalisation: "none",
    // Autoencoders centre what they read by their output's bias, transcoders do not.
    inputBias: transcode ? outputBias.map(() => 0) : outputBias,
    encoder: matrixOf(tensors, "encoder.weight", latents, d_in, file),
    encoderBias: await vectorOf(tensors, "encoder.bias", latents, file),
    activation: { kind: "topk", k, ...grouped && { grouped } },
    ...transcode && { transcoder: true },
    skip: skip_connection ? matrixOf(tensors, "W_skip", d_in, d_in, file) : undefined,
    decoder: hasDecoder
      ? rowDecoder(matrixOf(tensors, "W_dec", latents, d_in, file), outputBias)
      : undefined,
  };
}

/**
 * The hookpoint of an SAE: its folder is named after it, or the folder above where several seeds were
 * trained (`layers.3.mlp/seed0`).
 *
 * @param folder path with `/` between its parts
 * @throws InputError when the folder has another name
 */
export function sparsifyHookpoint(folder: string): string {
  const parts = folder.split("/").filter((part) => part !== "");
  const last = parts.at(-1) ?? "";
  return hookpointOfHookName(/^seed\d+$/.test(last) ? parts.at(-2) ?? "" : last, folder);
}

function supportedConfig(config: unknown, where: string) {
  const file = `${where}/cfg.json`;
  const fields = configFields(Config, config, file);
  const { d_in, k, num_latents, expansion_factor, activation, transcode, skip_connection } = fields;
  if (activation !== "topk" && activation !== "groupmax") {
    throw new InputError(
      `${file}: activation ${JSON.stringify(activation)} is not supported, only "topk" and ` +
        `"groupmax" are.`,
    );
  }
  const latents = num_latents || d_in * expansion_factor;
  if (k > latents) {
    throw new InputError(`${file}: k is ${k}, more than its ${latents} latents.`);
  }
  const grouped = activation === "groupmax" ? true as const : undefined;
  if (grouped && latents % k !== 0) {
    throw new InputError(`${file}: ${latents} latents do not make k = ${k} equal groups.`);
  }
  return { d_in, k, latents, grouped, transcode, skip_connection };
}
