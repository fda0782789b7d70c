/** What the explainers that are not published to the letter have in common. */
import type { LatentExamples, LatentName } from "../example.ts";
import { askedAgain, conversation, QUOTING_NOTE } from "../prompts/conversation.ts";
import type { Shot } from "../prompts/prompt_texts.ts";
import { explanationOf } from "./answer.ts";
import type { Explainer, ExplanationProblem } from "./explainer.ts";

/** How explainers ask. */
export interface Wording {
  readonly maxTokens: number;
  /** English name of the language to answer in; English, where undefined. */
  readonly languageOf: (latent: LatentName) => string | undefined;
}

/** Said at the end of a question that is asked again, by what was wrong with the last answer. */
export const NUDGES: Readonly<Record<ExplanationProblem, string>> = {
  unparsable: "Your last answer had no line that begins with [EXPLANATION]:. Write that line.",
  degenerate:
    "Your last answer repeated itself or the question. Write one short sentence of your " +
    "own after [EXPLANATION]:.",
  truncated: "Your last answer was too long and was cut off. Write one short sentence after " +
    "[EXPLANATION]: and nothing else.",
  empty: "Your last answer was empty. Write one short sentence after [EXPLANATION]:.",
};

/**
 * An explainer of a system text, conversations shown first, and a question made from examples, of which
 * every text is quoted.
 */
export function explainer(
  name: string,
  system: string,
  shots: readonly Shot[],
  { maxTokens, languageOf }: Wording,
  question: (latent: LatentExamples) => string,
): Explainer {
  return {
    name,
    ask(latent, attempt, problem = "unparsable") {
      const told = system.trimEnd() + "\n" + QUOTING_NOTE + inLanguage(languageOf(latent.latent));
      const messages = conversation(told, shots, `\n${question(latent)}`);
      const request = { messages, maxTokens, temperature: 0 };
      return attempt === 0 ? request : askedAgain(request, attempt, NUDGES[problem]);
    },
    read: explanationOf,
  };
}

function inLanguage(language: string | undefined): string {
  return language === undefined
    ? ""
    : `- Write the explanation in ${language}. Keep the marker [EXPLANATION]: as it is.\n`;
}
