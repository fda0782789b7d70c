/** Explanations on loan: a latent scored by another's explanation, as a control. */
import { borrowedExplanations } from "../metrics/controls.ts";
import type { Explained } from "./explain_latents.ts";
import type { Scorable } from "./score_latents.ts";

/** Explanations that can be scored. */
export function scorable(explained: readonly Explained[], compat?: "paper"): Scorable[] {
  return explained.flatMap((item) =>
    // as published, everything is scored
    item.kind === "explained" && (compat === "paper" || item.problem === undefined)
      ? [{ latent: item.latent, group: item.group, text: item.text }]
      : []
  );
}

/**
 * The same latents, each with the explanation of another one: of the same hookpoint and languages, where
 * there is one. A latent that finds none is left out.
 */
export function shuffled(own: readonly Scorable[]): Scorable[] {
  const borrowed = borrowedExplanations(
    own.map(({ latent }) => JSON.stringify([latent.hookpoint, latent.languages])),
    own.map(({ text }) => text),
  );
  return own.flatMap(({ latent }, i) => {
    const from = borrowed[i];
    return from === undefined ? [] : [{ latent, group: "shuffled", text: own[from].text } as const];
  });
}
