/** Texts to show features on, and what features do on them. */
import type { Corpus } from "../data/corpora.ts";
import type { Language } from "../data/languages.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";
import type { Firing } from "./firings.ts";

/** A text of the corpus, token by token. */
export interface Sample {
  readonly language: Language;
  /** Where it comes from, e.g. `udhr:en row 3`. */
  readonly label: string;
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Text of each token; a character split over tokens belongs to the first of them. */
  readonly pieces: readonly string[];
}

/** The first texts of each corpus. */
export function sampleTexts(
  corpora: readonly Corpus[],
  tokenizer: Tokenizer,
  perCorpus: number,
): Sample[] {
  return corpora.flatMap(({ spec, language, texts, rows }) =>
    texts.slice(0, perCorpus).map((text, i) => {
      const ids = tokenizer.encode(text);
      const label = `${spec.name}:${spec.lang} row ${rows[i]}`;
      return { language, label, ids, pieces: tokenizer.decodePieces(ids) };
    })
  );
}

/** How often a feature fired on a token. */
export interface TokenCount {
  readonly text: string;
  readonly count: number;
}

/** The tokens of one language on which a feature fired most often; ties in order of appearance. */
export function topTokens(
  firings: readonly Firing[],
  samples: readonly Sample[],
  language: string,
  most: number,
): TokenCount[] {
  const counts = new Map<string, number>();
  for (const { text, token } of firings) {
    const sample = samples[text];
    if (sample.language.name !== language) continue;
    const piece = wholePiece(sample.pieces, token);
    counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => ({ text, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, most);
}

/** Tokens without text continue a character: they stand for the piece that has it. */
export function wholePiece(pieces: readonly string[], token: number): string {
  let at = token;
  while (at > 0 && pieces[at] === "") at--;
  return pieces[at];
}

/** A sample with a feature's activation on each of its tokens. */
export interface ActiveSample {
  readonly sample: Sample;
  /** 0 where the feature did not fire. */
  readonly activations: Float32Array;
}

/** The samples of one language on which a feature fired strongest, strongest first. */
export function strongestSamples(
  firings: readonly Firing[],
  samples: readonly Sample[],
  language: string,
  most: number,
): ActiveSample[] {
  const active = new Map<number, Float32Array>();
  for (const { text, token, activation } of firings) {
    const { language: { name }, ids } = samples[text];
    if (name !== language) continue;
    const activations = active.get(text) ?? new Float32Array(ids.length);
    active.set(text, activations);
    activations[token] = activation;
  }
  return [...active]
    .map(([text, activations]) => ({ sample: samples[text], activations }))
    .map((item) => ({ ...item, peak: Math.max(...item.activations) }))
    .sort((a, b) => b.peak - a.peak)
    .slice(0, most)
    .map(({ sample, activations }) => ({ sample, activations }));
}
