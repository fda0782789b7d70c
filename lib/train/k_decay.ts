/** Active latents per token while k decays (spec train-and-interpret A.3). */
import { roundHalfToEven } from "../lape/rounding.ts";
import type { CoderShape } from "./shape.ts";

/** k of the first batch, where k decays. */
export function initialK(
  { inputSize, latents }: Pick<CoderShape, "inputSize" | "latents">,
): number {
  return Math.min(latents, 10 * inputSize);
}

/**
 * k after `batches` batches: falls evenly from {@linkcode initialK} to the shape's own.
 *
 * @param batches micro-batches so far (sparsify's global_step)
 * @param decayBatches of them, until k is the shape's; 0 does without decay
 */
export function decayedK(
  shape: Pick<CoderShape, "inputSize" | "latents" | "k">,
  batches: number,
  decayBatches: number,
): number {
  if (batches >= decayBatches) return shape.k;
  const progress = batches / decayBatches;
  return roundHalfToEven(initialK(shape) * (1 - progress) + shape.k * progress);
}
