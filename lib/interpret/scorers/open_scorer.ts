/** Scorers by name. */
import type { PromptTexts } from "../prompts/prompt_texts.ts";
import type { ChatScorer, EmbeddingScorer, SurprisalScorer } from "./scorer.ts";

/** Names of scorers; of those that scorers write under `scores/` too. */
export const SCORERS = [
  "detection",
  "fuzz",
  "simulation",
  "intruder",
  "embedding",
  "example_embedding",
  "surprisal",
] as const;

export type ScorerName = (typeof SCORERS)[number];

/** How examples are asked about. */
export interface ScorerOptions {
  /** Examples of one question (`--num-examples-per-scorer-prompt`, 5). */
  readonly examplesPerPrompt: number;
  /** "active": fuzzing marks wrong tokens of windows in which the latent fires (`--fuzz-type`). */
  readonly fuzzType?: "default" | "active";
  /** Fixed texts of the prompts; the published ones, if not given. */
  readonly texts?: PromptTexts;
  /** Random choices depend on this and the latent alone; under `compat` on neither. 22, if not given. */
  readonly seed?: number;
  /** Most tokens of an answer; 3000 under `compat`, else 500. */
  readonly maxTokens?: number;
  readonly compat?: "paper";
}

/** Any scorer; by `asks` it says whom it needs. */
export type Scorer = ChatScorer<unknown> | EmbeddingScorer<unknown> | SurprisalScorer<unknown>;

/** Opens a scorer. Under `compat` it has a state, so one is opened per run and asked in order. */
export declare function openScorer(name: ScorerName, options: ScorerOptions): Scorer;
