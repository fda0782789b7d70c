/** The texts of `ppl`, by language. */
import type { Corpus } from "../data/corpora.ts";
import { describeSpec } from "../data/dataset_configs.ts";
import type { Language } from "../data/languages.ts";
import { InputError } from "../formats/input_error.ts";
import { checkLengths, tokenised } from "../session/tokenised.ts";
import type { Subject } from "../subject/subject.ts";

/** The texts of one language; the two lists run in parallel. */
export interface LanguageTexts {
  readonly language: Language;
  readonly texts: readonly { readonly ids: Uint32Array<ArrayBuffer> }[];
  /** What each text is a part of (tokenised.ts); those of different data sets are different. */
  readonly documents: readonly number[];
}

/**
 * Texts as the model reads them; data sets of one language are one after the other.
 *
 * @param most tokens of a batch
 * @returns languages in the order in which they are first named
 * @throws InputError for a text that is too long for a batch, or too short to be predicted
 */
export function textsByLanguage(
  subject: Subject,
  corpora: readonly Corpus[],
  most: number,
): LanguageTexts[] {
  const byName = Map.groupBy(corpora, ({ language }) => language.name);
  return [...byName.values()].map((parts) => {
    let first = 0;
    const texts = parts.flatMap((corpus) => {
      const texts = tokenised(subject, corpus);
      checkLengths(corpus, texts, most);
      checkPredictable(corpus, texts);
      const offset = first;
      first += corpus.documents.reduce((most, document) => Math.max(most, document + 1), 0);
      return texts.map(({ ids, document }) => ({ ids, document: offset + document }));
    });
    return {
      language: parts[0].language,
      texts: texts.map(({ ids }) => ({ ids })),
      documents: texts.map(({ document }) => document),
    };
  });
}

/** A text has to have a token that another one comes before: BOS is only context. */
function checkPredictable(
  { spec }: Corpus,
  texts: readonly { readonly ids: Uint32Array; readonly row: number }[],
): void {
  const short = texts.find(({ ids }) => ids.length < 2);
  if (!short) return;
  throw new InputError(
    `Row ${short.row} of ${describeSpec(spec)} has ${short.ids.length} token, too few for a ` +
      `perplexity, which needs 2: leave the row out.`,
  );
}
