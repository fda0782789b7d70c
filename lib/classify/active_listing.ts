/** Features that fire in a text, for a terminal: tokens in their context, with activations. */
import { clip, table } from "../cli/table.ts";
import { wholePiece } from "../interpret/samples.ts";
import type { ActiveFeature, TokenActivation } from "./active_features.ts";

/** Firings of one feature that are shown, strongest first. */
const FIRINGS = 3;
/** Tokens shown before and after one. */
const CONTEXT = 2;
/** Widest that a text's line may be, in terminal cells. */
const WIDTH = 100;

/** What is known of one text. */
export interface CheckedText {
  readonly text: string;
  /** Text of each token; BOS first where there is one. */
  readonly pieces: readonly string[];
  /** Qualified name. */
  readonly prediction: string;
  /** Names of the languages with the largest scores, and the scores. */
  readonly scores: readonly (readonly [language: string, score: number])[];
  readonly active: readonly ActiveFeature[];
}

/** What features are called. */
export interface FeatureNames {
  /** Of the targets. */
  readonly layers: readonly number[];
  readonly languages: readonly string[];
}

/**
 * One text: its prediction, and its features by their strongest activation.
 *
 * @param most features listed
 */
export function activeListing(
  { text, pieces, prediction, scores, active }: CheckedText,
  { layers, languages }: FeatureNames,
  most: number,
): string {
  const opinion = scores.map(([language, score]) => `${language} ${Number(score.toFixed(2))}`);
  const head = `${clip(text, WIDTH)}\n→ ${prediction} (${opinion.join(", ")})`;
  if (active.length === 0) return `${head}\nNo feature of a language fires.`;
  const strongest = active.toSorted((a, b) => peak(b) - peak(a)).slice(0, most);
  const columns = ["language", "feature", "tokens", "strongest", "fires on"];
  const listed = table(
    columns.map((header, i) => ({ header, align: i === 2 || i === 3 ? "right" : "left" })),
    strongest.map((feature) => [
      languages[feature.language],
      `L${layers[feature.target]}/${feature.index}`,
      String(feature.firings.length),
      peak(feature).toFixed(2),
      inContext(feature.firings, pieces),
    ]),
  );
  const rest = active.length - strongest.length;
  return `${head}\n${listed}${rest > 0 ? `\n… and ${rest} more` : ""}`;
}

function peak({ firings }: ActiveFeature): number {
  return firings.reduce((most, { activation }) => Math.max(most, activation), 0);
}

/** `are [born 1.53] free · and [equal 0.71] in` */
function inContext(firings: readonly TokenActivation[], pieces: readonly string[]): string {
  return firings.toSorted((a, b) => b.activation - a.activation).slice(0, FIRINGS)
    .map(({ token, activation }) => {
      const before = pieces.slice(Math.max(0, token - CONTEXT), token).join("");
      const after = pieces.slice(token + 1, token + 1 + CONTEXT).join("");
      const own = wholePiece(pieces, token).trim();
      return `${before} [${own} ${activation.toFixed(2)}]${after}`.trim();
    }).join(" · ");
}
