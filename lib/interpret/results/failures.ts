/** What did not work out, as `failures.json` lists it: nothing is left out silently. */
import type { LatentName } from "../example.ts";
import type { ExplanationProblem } from "../explainers/explainer.ts";
import type { Group } from "./result_files.ts";

/** A latent in a list. */
export interface ListedLatent {
  readonly hookpoint: string;
  readonly latent: number;
}

/** Everything that is missing from the results, and why. */
export interface Failures {
  /** Identified latents that never fire in the texts. */
  readonly silent: readonly ListedLatent[];
  /** Identified latents that fire in too few windows. */
  readonly skipped: readonly (ListedLatent & { readonly active_windows: number })[];
  /** Latents without an explanation: nobody answered. */
  readonly unexplained: readonly (ListedLatent & {
    readonly group: Group;
    readonly reason: string;
  })[];
  /** Explanations that are of no use, after all attempts. */
  readonly marked: readonly (ListedLatent & {
    readonly group: Group;
    readonly problem: ExplanationProblem;
  })[];
  /** Scores of which some predictions are missing. */
  readonly unscored: readonly (ListedLatent & {
    readonly group: Group;
    readonly scorer: string;
    readonly questions: number;
    readonly reasons: readonly string[];
  })[];
  /** Latents that were not asked about because the budget was spent. */
  readonly unasked: readonly (ListedLatent & { readonly group: Group; readonly stage: string })[];
}

/** A latent as lists name it. */
export function listed({ hookpoint, index }: LatentName): ListedLatent {
  return { hookpoint, latent: index };
}
