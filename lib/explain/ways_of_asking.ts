/** The explainer, the scorers and the texts of prompts that options name. */
import { readJson } from "../data/files.ts";
import type { LatentName } from "../interpret/example.ts";
import type { Explainer } from "../interpret/explainers/explainer.ts";
import { openExplainer } from "../interpret/explainers/open_explainer.ts";
import {
  type PromptTexts,
  PUBLISHED_TEXTS,
  readPromptTexts,
  withInstruction,
} from "../interpret/prompts/prompt_texts.ts";
import { openScorer, type Scorer, type ScorerOptions } from "../interpret/scorers/open_scorer.ts";
import type { InterpretOptions } from "./options.ts";
import { latentStem } from "../interpret/results/result_files.ts";
import { stagesOf } from "./settings.ts";
import type { ChosenLatent } from "../interpret/results/found.ts";

/** How it is asked. */
export interface WaysOfAsking {
  /** Undefined where explanations are there. */
  readonly explainer: Explainer | undefined;
  /** What every scorer is opened with. */
  readonly scorers: ScorerOptions;
}

/**
 * The published texts of prompts, or those of `--prompt-texts`: an object with some of them, or a
 * published instruction file.
 *
 * @throws InputError when they cannot be read
 */
export async function promptTexts(
  { promptTexts: path }: InterpretOptions,
): Promise<PromptTexts> {
  if (path === undefined) return PUBLISHED_TEXTS;
  const json = await readJson(path);
  return typeof json === "string" || Array.isArray(json)
    ? withInstruction(PUBLISHED_TEXTS, json, path)
    : readPromptTexts(json, path);
}

/**
 * Opens what options name.
 *
 * @param identified latents with the languages to explain them in (`--explain-in own`)
 */
export function waysOfAsking(
  options: InterpretOptions,
  texts: PromptTexts,
  identified: readonly ChosenLatent[],
): WaysOfAsking {
  const { explainer, explainIn, compat } = options;
  const languageOf = explainIn === "own" ? firstLanguages(identified) : undefined;
  return {
    explainer: explainer === "none"
      ? undefined
      : openExplainer(explainer, { texts, languageOf, compat }),
    scorers: scorerOptions(options, texts),
  };
}

/** Whether options need an endpoint: not those that only plan, only read activations or only sum up. */
export function asksSomeone(options: InterpretOptions): boolean {
  if (options.dryRun || !stagesOf(options).asking) return false;
  return options.explainer !== "none" || options.nonActivatingSource === "FAISS" ||
    askedBy(options).some((asks) => asks !== "losses");
}

/** Whom the scorers ask. */
export function askedBy(options: InterpretOptions): Scorer["asks"][] {
  return options.scorers.map((name) => openScorer(name, scorerOptions(options)).asks);
}

function scorerOptions(options: InterpretOptions, texts?: PromptTexts): ScorerOptions {
  const { numExamplesPerScorerPrompt, fuzzType, seed, compat } = options;
  return { examplesPerPrompt: numExamplesPerScorerPrompt, fuzzType, seed, compat, texts };
}

/** The first language of each latent, by its name; none of a latent drawn at random. */
function firstLanguages(
  identified: readonly ChosenLatent[],
): (latent: LatentName) => string | undefined {
  const languages = new Map(
    identified.map((latent) => [latentStem(latent), latent.languages[0]]),
  );
  return (latent) => languages.get(latentStem(latent));
}
