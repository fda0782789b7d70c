/** Which explanations are scored on which latents: their own, and, as a control, another's. */
import { borrowedExplanations } from "../interpret/metrics/controls.ts";
import type { Scorable } from "./score_latents.ts";
import type { Explained } from "../interpret/results/found.ts";

/**
 * Latents with their own explanations, but for those of no use. As published, everything is scored, and
 * a latent without an explanation still has its part in the order of all questions (B.7).
 */
export function ownExplanations(explained: readonly Explained[], compat?: "paper"): Scorable[] {
  return explained.flatMap((item) => {
    const { latent, group } = item;
    const text = item.kind === "explained" ? item.text : undefined;
    const isOfUse = item.kind === "explained" && item.problem === undefined;
    return isOfUse || compat === "paper" ? [{ latent, group, text }] : [];
  });
}

/**
 * The same latents, each with the explanation of another one: of the same hookpoint and languages, where
 * there is one. A latent that finds none is left out.
 */
export function borrowedFrom(own: readonly Scorable[]): Scorable[] {
  const lenders = own.flatMap(({ latent, text }) => text === undefined ? [] : [{ latent, text }]);
  const borrowed = borrowedExplanations(
    lenders.map(({ latent }) => JSON.stringify([latent.hookpoint, latent.languages])),
    lenders.map(({ text }) => text),
  );
  return lenders.flatMap(({ latent }, i) => {
    const from = borrowed[i];
    return from === undefined
      ? []
      : [{ latent, group: "shuffled", text: lenders[from].text } as const];
  });
}
