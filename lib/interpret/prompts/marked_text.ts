/** Windows of text with their important tokens between `<<` and `>>` (spec train-and-interpret B.6, B.7). */
import type { Example } from "../example.ts";
import { quotedTokens } from "./quoting.ts";

/** Share of a window's largest activation that makes a token important. */
export const THRESHOLD = 0.3;

/** Tells of each token of a window whether it is marked. */
export type Marked = (token: number) => boolean;

/** What explainers are shown as important: more than 0.3 of the window's largest activation. */
export function strong({ activations }: Example): Marked {
  const threshold = THRESHOLD * largest(activations);
  return (token) => activations[token] > threshold;
}

/** What fuzzing marks in a window that is labelled rightly: at least 0.3 of the largest activation. */
export function strongOrEqual({ activations }: Example): Marked {
  const threshold = THRESHOLD * largest(activations);
  return (token) => activations[token] >= threshold;
}

/** Tokens that are marked. */
export function markedTokens(length: number, marked: Marked): number[] {
  return Array.from({ length }, (_, token) => token).filter(marked);
}

/** The text as it is, each run of marked tokens between `<<` and `>>`. */
export function markedText(tokens: readonly string[], marked: Marked): string {
  let text = "";
  let inside = false;
  tokens.forEach((token, i) => {
    if (marked(i) !== inside) text += inside ? ">>" : "<<";
    inside = marked(i);
    text += token;
  });
  return inside ? `${text}>>` : text;
}

/** The same of quoted text: one line, from which the marks can be told without doubt. */
export function quotedMarkedText(tokens: readonly string[], marked: Marked): string {
  return markedText(quotedTokens(tokens, marked), marked);
}

function largest(activations: Float32Array): number {
  return activations.reduce((max, value) => Math.max(max, value), 0);
}
