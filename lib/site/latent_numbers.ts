/** Latents by number: their order, and lists of them. */
import type { Overview } from "../explore/backend.ts";
import type { LatentNumbers } from "./layout.ts";

/** Where a latent is. */
export interface LatentPlace {
  readonly layer: number;
  readonly index: number;
}

/** Latents of some layers together. */
export function latentsOf(layers: Overview["layers"]): number {
  return layers.reduce((sum, { latents }) => sum + latents, 0);
}

/** A latent's number: its index behind all latents of the layers before its own. */
export function latentNumber({ layers }: Overview, { layer, index }: LatentPlace): number {
  const place = layers.findIndex((one) => one.layer === layer);
  return latentsOf(layers.slice(0, place)) + index;
}

/** The latent with a number. */
export function latentAt({ layers }: Overview, number: number): LatentPlace {
  let index = number;
  for (const { layer, latents } of layers) {
    if (index < latents) return { layer, index };
    index -= latents;
  }
  throw new RangeError(`there is no latent ${number}`);
}

/** A list of ascending numbers, as it is stored. */
export function storeNumbers(numbers: readonly number[]): LatentNumbers {
  return numbers.map((number, i) => number - (numbers[i - 1] ?? 0));
}

/** The list that {@linkcode storeNumbers} stored. */
export function readNumbers(steps: LatentNumbers): number[] {
  let number = 0;
  return steps.map((step) => number += step);
}
