/** The order of latents in lists, and their numbers. */
import type { FeatureSummary, Overview } from "../explore/backend.ts";
import type { Order } from "./layout.ts";

/** Latents in an order: of equal ones the first layer, then the lower index, comes first. */
export function inOrder(latents: readonly FeatureSummary[], order: Order): FeatureSummary[] {
  const key = {
    entropy: ({ entropy }: FeatureSummary) => entropy ?? Infinity,
    probability: ({ probability }: FeatureSummary) => -probability,
    index: () => 0,
  }[order];
  return latents.toSorted((a, b) => {
    const [first, second] = [key(a), key(b)];
    if (first !== second) return first < second ? -1 : 1;
    return a.layer - b.layer || a.index - b.index;
  });
}

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
