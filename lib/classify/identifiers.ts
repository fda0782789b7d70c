/**
 * Language identifiers that need no model: the baselines of classification, and the judges of
 * generated texts. Both lie in npm packages and work offline once those are cached.
 */
import { isLanguage, languageOf } from "../data/languages.ts";

/** `eld`: n-grams of npm eld 2.1.0, "small". `fasttext`: lid.176.ftz of npm fasttext.wasm.js 1.0.0. */
export type IdentifierName = "eld" | "fasttext";

/** A language that a text may be in. */
export interface IdentifiedLanguage {
  /** Qualified name; the identifier's own label where it names no language that is known here. */
  readonly language: string;
  /** A probability of fastText, eld's own score from 0 to 1. */
  readonly score: number;
}

/** Says what language a text is in: the likeliest first; nothing, where it cannot tell. */
export type Identifier = (text: string) => IdentifiedLanguage[];

/** Labels that are asked of fastText, as published (spec section 9). */
const LABELS = 15;

/** Loads a language identifier. */
export async function openIdentifier(name: IdentifierName): Promise<Identifier> {
  return name === "eld" ? await openEld() : await openFastText();
}

async function openEld(): Promise<Identifier> {
  const { eld } = await import("eld");
  if ("load" in eld) await eld.load("small");
  return (text) =>
    Object.entries(eld.detect(text).getScores())
      .map(([label, score]) => ({ language: nameOf(label), score }))
      .sort((a, b) => b.score - a.score);
}

async function openFastText(): Promise<Identifier> {
  const { getLIDModel } = await import("fasttext.wasm.js");
  const model = await (await getLIDModel()).load();
  return (text) => {
    // it reads one line
    const labels = model.predict(text.replace(/\s+/g, " "), LABELS, 0);
    const found = Array.from({ length: labels.size() }, (_, i) => labels.get(i));
    labels.delete();
    return found.map(([score, label]) => ({
      language: nameOf(label.replace("__label__", "")),
      score,
    }));
  };
}

function nameOf(label: string): string {
  return isLanguage(label) ? languageOf(label).name : label;
}

/**
 * An identifier's opinion as scores of some languages; what it says of others is dropped.
 *
 * @param languages qualified names
 */
export function identifierScores(
  found: readonly IdentifiedLanguage[],
  languages: readonly string[],
): number[] {
  return languages.map((name) =>
    found.filter(({ language }) => language === name)
      .reduce((most, { score }) => Math.max(most, score), 0)
  );
}
