/** The words of a latent: tokens it fires on most, and what stands around its strongest activations. */
import { wholePiece } from "../../interpret/samples.ts";
import { BOS_PIECE } from "./index_texts.ts";
import { type Firings, textRuns } from "./firings.ts";

/** Tokens that are listed. */
const TOKENS = 8;
/** Texts, of any language, whose words are taken: those in which it is strongest. */
const PEAKS = 12;
/** UTF-16 units on both sides of a peak: some words, however many tokens a script takes for them. */
const AROUND = 24;
/** UTF-16 units of a token that are kept. */
const LONGEST = 100;

/** Words of one latent. */
export interface LatentWords {
  /** Those it fires on most often first; ties in the order of the languages and texts. */
  readonly tokens: readonly string[];
  /** Strongest first. */
  readonly peaks: readonly string[];
}

/**
 * The words of a latent.
 *
 * @param firings one per language
 * @param piecesOf texts of the tokens of a text
 */
export function latentWords(
  firings: readonly Firings[],
  piecesOf: (text: number) => readonly string[],
): LatentWords {
  const counts = new Map<string, number>();
  for (const { texts, tokens } of firings) {
    for (let i = 0; i < texts.length; i++) {
      const token = wholePiece(piecesOf(texts[i]), tokens[i]);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  }
  const tokens = [...counts].sort(([, a], [, b]) => b - a).slice(0, TOKENS)
    .map(([token]) => cut(token));
  const strongest = firings
    .flatMap((own) => textRuns(own).map((run) => ({ ...run, own })))
    .sort((a, b) => b.max - a.max)
    .slice(0, PEAKS);
  const peaks = strongest.map(({ text, from, max, own }) =>
    around(piecesOf(text), own.tokens[own.values.indexOf(max, from)])
  );
  return { tokens, peaks };
}

/** The text around a token. */
function around(pieces: readonly string[], token: number): string {
  const texts = pieces.map((piece) => piece === BOS_PIECE ? "" : cut(piece));
  const before = texts.slice(0, token).join("").slice(-AROUND);
  const after = texts.slice(token + 1).join("").slice(0, AROUND);
  return before + texts[token] + after;
}

function cut(piece: string): string {
  return piece.slice(0, LONGEST);
}
