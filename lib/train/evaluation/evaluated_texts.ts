/** The texts that SAEs are evaluated on, by language. */
import type { Corpus } from "../../data/corpora.ts";
import { describeSpec } from "../../data/dataset_configs.ts";
import type { TokenRows } from "../../data/token_rows.ts";
import { InputError } from "../../formats/input_error.ts";
import { checkLengths, tokenised } from "../../session/tokenised.ts";
import type { Subject } from "../../subject/subject.ts";
import type { EvaluatedLanguage } from "./evaluate.ts";

/** What languages are called where the data does not tell them apart. */
const UNTOLD = "texts";

/**
 * The first texts of each language in corpora.
 *
 * @param most texts of a language
 * @param mostTokens of a batch
 * @throws InputError for a text that is too long for a batch, or too short to be predicted
 */
export function evaluatedTexts(
  subject: Subject,
  corpora: readonly Corpus[],
  most: number,
  mostTokens: number,
): EvaluatedLanguage[] {
  const byName = Map.groupBy(corpora, ({ language }) => language.name);
  return [...byName].map(([name, parts]) => ({
    name,
    texts: parts.flatMap((corpus) => {
      const texts = tokenised(subject, corpus);
      checkLengths(corpus, texts, mostTokens);
      const short = texts.find(({ ids }) => ids.length < 2);
      if (!short) return texts;
      throw new InputError(
        `Row ${short.row} of ${
          describeSpec(corpus.spec)
        } has ${short.ids.length} token, too few to ` +
          `predict one: leave the row out.`,
      );
    }).slice(0, most),
  }));
}

/**
 * The first rows of each language among rows of token ids.
 *
 * @param most rows of a language
 * @throws InputError for a token that the model does not know
 */
export async function evaluatedRows(
  rows: TokenRows,
  most: number,
  vocabularySize: number,
): Promise<EvaluatedLanguage[]> {
  const numbers = new Map<string, number[]>();
  let first = 0;
  for (const { language = UNTOLD, rows: count } of rows.parts) {
    const known = numbers.get(language) ?? [];
    for (let row = first; row < first + count && known.length < most; row++) known.push(row);
    numbers.set(language, known);
    first += count;
  }
  const { contextLength } = rows;
  return await Promise.all([...numbers].map(async ([name, chosen]) => {
    const ids = await rows.read(chosen);
    const outside = ids.find((id) => id >= vocabularySize);
    if (outside !== undefined) {
      throw new InputError(
        `The tokens to evaluate on have ${outside}, but the model's vocabulary has ${vocabularySize}: ` +
          `tokenise them with the model's own tokenizer.`,
      );
    }
    const texts = chosen.map((_, i) => ({
      ids: ids.slice(i * contextLength, (i + 1) * contextLength),
    }));
    return { name, texts };
  }));
}
