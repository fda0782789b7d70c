/** Explainers by name. */
import type { LatentName } from "../example.ts";
import type { PromptTexts } from "../prompts/prompt_texts.ts";
import type { Explainer } from "./explainer.ts";

/** Names of explainers; `none` asks nobody: explanations of an earlier run are read again. */
export const EXPLAINERS = ["default", "cot", "contrastive", "single_token", "none"] as const;

export type ExplainerName = (typeof EXPLAINERS)[number];

/** How a latent is asked about. */
export interface ExplainerOptions {
  /** Fixed texts of the prompts; the published ones, if not given. */
  readonly texts?: PromptTexts;
  /** Most tokens of an answer; 3000 under `compat`. */
  readonly maxTokens?: number;
  /**
   * English name of the language in which a latent is to be explained (`--explain-in own`); English,
   * where it is undefined or not given.
   */
  readonly languageOf?: (latent: LatentName) => string | undefined;
  readonly compat?: "paper";
}

/** Opens an explainer that asks. */
export declare function openExplainer(
  name: Exclude<ExplainerName, "none">,
  options: ExplainerOptions,
): Explainer;
