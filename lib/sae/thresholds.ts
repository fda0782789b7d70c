/** Thresholds of JumpReLU SAEs. */
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { vectorOf } from "../nn/weights.ts";
import type { Activation } from "./sae.ts";

/**
 * JumpReLU with the thresholds of a tensor [latents]; negative ones act like 0 and become 0.
 *
 * @param where names the file in messages
 * @throws InputError when the tensor is missing, malformed or holds what is no finite number
 */
export async function jumpRelu(
  tensors: TensorSource,
  name: string,
  latents: number,
  where: string,
): Promise<Activation> {
  const thresholds = (await vectorOf(tensors, name, latents, where)).slice(0, latents);
  const bad = thresholds.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new InputError(
      `${where}: "${name}" of latent ${bad} is ${thresholds[bad]}, expected a finite number; ` +
        `fetch the file again.`,
    );
  }
  return { kind: "threshold", thresholds: thresholds.map((value) => Math.max(0, value)) };
}

/** JumpReLU with one threshold ≥ 0 for all latents; ReLU has 0. */
export function sameThreshold(latents: number, threshold: number): Activation {
  return { kind: "threshold", thresholds: new Float32Array(latents).fill(threshold) };
}
