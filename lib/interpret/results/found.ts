/** What explaining and scoring find, latent by latent. */
import type { LatentName } from "../example.ts";
import type { ExplanationProblem } from "../explainers/explainer.ts";
import type { LatentScore } from "../metrics/latent_score.ts";
import type { ListedLatent } from "./failures.ts";
import type { Group } from "./result_files.ts";

/** A latent that is explained. */
export interface ChosenLatent extends LatentName {
  /** Languages that it was identified for, alphabetical; none of one drawn at random. */
  readonly languages: readonly string[];
}

/** How often a latent fires. */
export interface FiringStatistics {
  /** Windows in which it fires, of all. */
  readonly activeWindows: number;
  readonly windows: number;
  /** Tokens on which it fires, of all. */
  readonly firedTokens: number;
  readonly tokens: number;
  readonly max: number;
}

/** Latents to work on. */
export interface SelectedLatents {
  /** In the order of B.3. */
  readonly identified: readonly ChosenLatent[];
  /** As many of each hookpoint as are identified there, where so many fire often enough; likewise. */
  readonly random: readonly ChosenLatent[];
  /** Identified ones that fire in too few windows. */
  readonly skipped: readonly (ListedLatent & { readonly active_windows: number })[];
  /** Identified ones that never fire. */
  readonly silent: readonly ListedLatent[];
  /** Of a latent that is selected. */
  statisticsOf(latent: LatentName): FiringStatistics;
}

/** A latent that is to be explained, in its group. */
export interface LatentInGroup {
  readonly latent: ChosenLatent;
  readonly group: Group;
}

/** What came of a latent. */
export type Explained = LatentInGroup & ExplanationOutcome;

/** An explanation, or why there is none. */
export type ExplanationOutcome =
  | {
    readonly kind: "explained";
    readonly text: string;
    /** What is wrong with it. */
    readonly problem?: ExplanationProblem;
  }
  | { readonly kind: "unanswered"; readonly reason: string }
  | { readonly kind: "unasked" };

/** A latent's score. */
export interface Scored extends LatentInGroup {
  readonly scorer: string;
  /** Undefined where there is none: the budget was spent before, or nobody answered. */
  readonly score: LatentScore | undefined;
  /** Why predictions are missing, one sentence per question; empty where the budget was spent. */
  readonly failures: readonly string[];
}
