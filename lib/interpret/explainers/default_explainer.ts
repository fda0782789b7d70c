/** The explainers `default` and `cot`: strong windows with their important tokens marked (spec B.6). */
import type { Example, LatentExamples } from "../example.ts";
import { conversation } from "../prompts/conversation.ts";
import { markedText, markedTokens, quotedMarkedText, strong } from "../prompts/marked_text.ts";
import type { ExplainerTexts } from "../prompts/prompt_texts.ts";
import { inQuotes, quotedTokens } from "../prompts/quoting.ts";
import { publishedExplanation } from "./answer.ts";
import type { Explainer } from "./explainer.ts";
import { explainer, type Wording } from "./wording.ts";

/** Most tokens whose activation is listed per example; the published count is off by one. */
const LISTED_TOKENS = 10;

/** The explainer as it is by default: examples in the style of those that are shown first. */
export function defaultExplainer(
  name: "default" | "cot",
  texts: ExplainerTexts,
  wording: Wording,
): Explainer {
  const system = name === "cot" ? texts.systemInStages : texts.system;
  return explainer(name, system, texts.shots, wording, ({ train }) => numbered(train, listed));
}

/** The explainer as published: the user's text is not in the style of the examples before it. */
export function publishedExplainer(
  name: "default" | "cot",
  texts: ExplainerTexts,
  maxTokens: number,
): Explainer {
  const system = name === "cot" ? texts.systemInStages : texts.system;
  return {
    name,
    ask: ({ train }) => ({
      messages: conversation(system, texts.shots, publishedQuestion(train)),
      maxTokens,
      temperature: 0,
    }),
    read: publishedExplanation,
  };
}

/** The user's message as published, which is also what `prompts/` holds of it. */
export function publishedQuestion(train: LatentExamples["train"]): string {
  const lines = train.flatMap((example) => [
    markedText(example.tokens, strong(example)),
    publishedActivations(example),
  ]);
  return `\n${lines.join("\n")}\n`;
}

function publishedActivations(example: Example): string {
  const listed = markedTokens(example.tokens.length, strong(example)).slice(0, LISTED_TOKENS + 1)
    .map((token) => `("${example.tokens[token]}" : ${example.normalised[token]}), `);
  return `Activations: ${listed.join("")}`;
}

/** `Example 1:  text` with what `more` says of each on the line below. */
export function numbered(
  examples: readonly Example[],
  more?: (example: Example) => string,
): string {
  return examples.map((example, i) => {
    const line = `Example ${i + 1}:  ${quotedMarkedText(example.tokens, strong(example))}\n`;
    return more ? `${line}${more(example)}\n` : line;
  }).join("");
}

/** `Activations: ("tok", 5), (" en", 9)`, as many as there is room for. */
export function listed(example: Example): string {
  const marked = strong(example);
  const tokens = quotedTokens(example.tokens, marked);
  const pairs = markedTokens(tokens.length, marked).slice(0, LISTED_TOKENS)
    .map((token) => `(${inQuotes(tokens[token])}, ${example.normalised[token]})`);
  return `Activations: ${pairs.join(", ")}`;
}
