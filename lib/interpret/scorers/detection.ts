/** Detection: does the latent fire somewhere in this text? (spec train-and-interpret B.7) */
import type { Example } from "../example.ts";
import type { ClassifierTexts } from "../prompts/prompt_texts.ts";
import { quotedTokens } from "../prompts/quoting.ts";
import { classifier, type ClassifierOptions, type Sample } from "./classifier.ts";
import type { ChatScorer } from "./scorer.ts";

/** Asks of plain texts. */
export function detection(texts: ClassifierTexts, options: ClassifierOptions): ChatScorer {
  const text = options.compat === "paper"
    ? ({ tokens }: Example) => tokens.join("")
    : ({ tokens }: Example) => quotedTokens(tokens).join("");
  const sample = (activating: boolean) => (example: Example): Sample => ({
    example,
    activating,
    text: text(example),
  });
  return classifier("detection", texts, ({ test, nonActivating }) => [
    ...nonActivating.map(sample(false)),
    ...test.map(sample(true)),
  ], options);
}
