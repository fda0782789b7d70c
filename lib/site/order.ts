/** The order of latents in lists. */
import type { FeatureSummary } from "../explore/backend.ts";
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
