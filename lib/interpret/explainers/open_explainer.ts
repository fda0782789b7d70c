/** Explainers by name. */
import type { LatentName } from "../example.ts";
import { answerTokens } from "../prompts/conversation.ts";
import { type PromptTexts, PUBLISHED_TEXTS } from "../prompts/prompt_texts.ts";
import { contrastiveExplainer } from "./contrastive_explainer.ts";
import { defaultExplainer, publishedExplainer } from "./default_explainer.ts";
import type { Explainer } from "./explainer.ts";
import { singleTokenExplainer } from "./single_token_explainer.ts";

/** Names of explainers; `none` asks nobody: explanations of an earlier run are read again. */
export const EXPLAINERS = ["default", "cot", "contrastive", "single_token", "none"] as const;

export type ExplainerName = (typeof EXPLAINERS)[number];

/** How a latent is asked about. */
export interface ExplainerOptions {
  /** Fixed texts of the prompts; the published ones, if not given. */
  readonly texts?: PromptTexts;
  /** Most tokens of an answer; 3000 under `compat`, else 500. */
  readonly maxTokens?: number;
  /**
   * English name of the language in which a latent is to be explained (`--explain-in own`); English,
   * where it is undefined or not given. Has no effect under `compat`.
   */
  readonly languageOf?: (latent: LatentName) => string | undefined;
  /** "paper": `default` and `cot` ask and read as published, to the letter. */
  readonly compat?: "paper";
}

/** Opens an explainer that asks. */
export function openExplainer(
  name: Exclude<ExplainerName, "none">,
  options: ExplainerOptions,
): Explainer {
  const { texts = PUBLISHED_TEXTS, languageOf = () => undefined, compat } = options;
  const wording = { maxTokens: answerTokens(options), languageOf };
  switch (name) {
    case "contrastive":
      return contrastiveExplainer(wording);
    case "single_token":
      return singleTokenExplainer(wording);
    default:
      return compat === "paper"
        ? publishedExplainer(name, texts.explainer, wording.maxTokens)
        : defaultExplainer(name, texts.explainer, wording);
  }
}
