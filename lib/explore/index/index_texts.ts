/** The texts of the results, as the index numbers them. */
import type { Corpus } from "../../data/corpora.ts";
import { UDHR } from "../../data/dataset_configs.ts";
import { tokenised, type TokenisedText } from "../../session/tokenised.ts";
import type { Subject } from "../../subject/subject.ts";

/** A text of the index. */
export interface IndexText extends TokenisedText {
  /** Position among the languages. */
  readonly language: number;
  /** Where it comes from, e.g. `udhr:bg row 12`. */
  readonly label: string;
  /** What it is a part of in every language; undefined where texts are not parallel. */
  readonly article: string | undefined;
  /** Text of each token; {@linkcode BOS_PIECE} for BOS. */
  readonly pieces: readonly string[];
}

/** What stands for the token that texts begin with. */
export const BOS_PIECE = "⟨bos⟩";

/**
 * All texts, language by language.
 *
 * @param languages names in their order
 */
export function indexTexts(
  subject: Subject,
  corpora: readonly Corpus[],
  languages: readonly string[],
): IndexText[] {
  const texts = corpora.flatMap((corpus) => {
    const { spec, language } = corpus;
    const parallel = spec.name === UDHR;
    return tokenised(subject, corpus).map((text): IndexText => ({
      ...text,
      language: languages.indexOf(language.name),
      label: `${spec.name}:${spec.lang} row ${text.row}`,
      article: parallel ? String(text.document) : undefined,
      pieces: piecesOf(subject, text.ids),
    }));
  });
  return texts.sort((a, b) => a.language - b.language);
}

function piecesOf({ tokenizer }: Subject, ids: Uint32Array): string[] {
  const pieces = tokenizer.decodePieces(ids);
  return ids[0] === tokenizer.bosId ? [BOS_PIECE, ...pieces.slice(1)] : pieces;
}

/** What an article of `udhr` is called. */
export function articleTitle(article: string): string {
  return article === "0" ? "Preamble" : `Article ${article}`;
}
