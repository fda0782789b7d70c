/** Scorers by name. */
import { type PromptTexts, PUBLISHED_TEXTS } from "../prompts/prompt_texts.ts";
import { detection } from "./detection.ts";
import { embedding } from "./embedding.ts";
import { exampleEmbedding } from "./example_embedding.ts";
import { fuzz } from "./fuzz.ts";
import { intruder } from "./intruder.ts";
import type { ChatScorer, EmbeddingScorer, SurprisalScorer } from "./scorer.ts";
import { simulation } from "./simulation.ts";
import { surprisal } from "./surprisal.ts";

/** Names of scorers, which are those of their folders under `scores/`. */
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

/** Any scorer; by `asks` it says whom it needs. Rows of one scorer go to that scorer only. */
export type Scorer = ChatScorer<unknown> | EmbeddingScorer<unknown> | SurprisalScorer<unknown>;

/** Opens a scorer. Under `compat` it has a state, so one is opened per run and asked in order. */
export function openScorer(name: ScorerName, options: ScorerOptions): Scorer {
  const { texts = PUBLISHED_TEXTS, fuzzType = "default", seed = 22 } = options;
  const asked = { ...options, seed };
  switch (name) {
    case "detection":
      return detection(texts.detection, asked);
    case "fuzz":
      return fuzz(texts.fuzz, { ...asked, fuzzType });
    case "simulation":
      return simulation(asked);
    case "intruder":
      return intruder(asked);
    case "embedding":
      return embedding();
    case "example_embedding":
      return exampleEmbedding(seed);
    case "surprisal":
      return surprisal();
  }
}
