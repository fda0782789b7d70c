/**
 * Surprisal: is a text in which the latent fires less surprising to a base model that has read the
 * explanation? (spec train-and-interpret B.9; the examples before it are worded anew)
 */
import type { LatentExamples } from "../example.ts";
import { areaUnderCurveEstimate } from "../metrics/area_under_curve.ts";
import type { SurprisalScorer, TokenLosses } from "./scorer.ts";

/** A row of a score file, and whether the latent fires there. Losses are in nats, one per token. */
export interface SurprisalRow {
  readonly text: string;
  readonly distance: number;
  readonly no_explanation: readonly number[];
  readonly explanation: readonly number[];
  readonly activations: readonly number[];
  readonly activating: boolean;
}

/** What stands in place of the explanation to compare with. */
export const NO_EXPLANATION = "Various unrelated sentences.";

/** Descriptions and texts of their kind: they show a base model what a description is. */
const SHOWN: readonly (readonly [description: string, texts: readonly string[]])[] = [
  ["Recipes.", ["Melt the butter and stir in the flour.", "Bake for twenty minutes."]],
  ["Text in French.", ["Le train part à huit heures.", "Je ne sais pas encore."]],
  ["Numbers of years.", ["It was founded in 1871.", "From 1990 to 1994 he lived there."]],
  [NO_EXPLANATION, ["The door was open.", "Prices rose by two percent.", "Er kam zu spät."]],
  ["Questions.", ["Where have you been?", "What does it cost?"]],
  ["Names of rivers.", ["The Danube flows to the Black Sea.", "We crossed the Rhine."]],
  ["Source code.", ["for (let i = 0; i < n; i++) {", "return None"]],
  ["Words for family members.", ["My sister called.", "His grandfather was a miller."]],
  ["Legal language.", ["The parties hereto agree as follows.", "Pursuant to Article 5,"]],
];

const PREFIX = SHOWN.map(([description, texts]) => described(description) + texts.join("\n"))
  .join("\n\n") + "\n\n";

/** Compares the losses of windows after the explanation and after none. */
export function surprisal(): SurprisalScorer<SurprisalRow> {
  return {
    asks: "losses",
    name: "surprisal",
    usesExplanation: true,
    rows: surprisalRows,
    file: (rows) => rows.map(({ activating: _, ...row }) => row),
    score(rows) {
      const gains = (activating: boolean) =>
        rows.filter((row) => row.activating === activating).map(gain);
      return {
        scored: rows.length,
        failed: 0,
        metrics: { auc: areaUnderCurveEstimate(gains(true), gains(false)) },
        main: "auc",
      };
    },
  };
}

async function surprisalRows(
  { test, nonActivating }: LatentExamples,
  explanation: string,
  losses: TokenLosses,
): Promise<SurprisalRow[]> {
  const examples = [...nonActivating, ...test];
  const after = (description: string) =>
    examples.map(({ ids, tokens }) => ({
      prefix: PREFIX + described(description),
      ids,
      text: tokens.join(""),
    }));
  const without = await losses(after(NO_EXPLANATION));
  const explained = await losses(after(explanation));
  return examples.map(({ tokens, distance, activating, activations }, i) => ({
    text: tokens.join(""),
    distance,
    no_explanation: without[i],
    explanation: explained[i],
    activations: Array.from(activations),
    activating,
  }));
}

/** Nats per token that the explanation saves. */
export function gain({ no_explanation, explanation }: SurprisalRow): number {
  return no_explanation.reduce((sum, loss, i) => sum + loss - explanation[i], 0) /
    no_explanation.length;
}

function described(description: string): string {
  return `Description: ${description}\nTexts:\n`;
}
