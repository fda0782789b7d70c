/** Texts as a model reads them. */
import type { Corpus } from "../data/corpora.ts";
import { describeSpec } from "../data/dataset_configs.ts";
import { InputError } from "../formats/input_error.ts";
import type { Subject } from "../subject/subject.ts";

/** A text of a corpus as token ids, BOS first where the tokenizer adds one. */
export interface TokenisedText {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly text: string;
  /** Row in the corpus. */
  readonly row: number;
  /** What the text is a part of: its article in `udhr`, else its own row. */
  readonly document: number;
}

/** @throws InputError for a token that the model does not know */
export function tokenised({ tokenizer, config }: Subject, corpus: Corpus): TokenisedText[] {
  return corpus.texts.map((text, i) => {
    const ids = tokenizer.encode(text);
    const outside = ids.find((id) => id >= config.vocabularySize);
    if (outside !== undefined) {
      throw new InputError(
        `The tokenizer makes token ${outside} of row ${corpus.rows[i]} of ${
          describeSpec(corpus.spec)
        }, but the model's vocabulary has ${config.vocabularySize}: give the model's own tokenizer.json.`,
      );
    }
    return { ids, text, row: corpus.rows[i], document: corpus.documents[i] };
  });
}

/**
 * Refuses a text that no batch can hold, before any work is done.
 *
 * @param most tokens of a batch
 */
export function checkLengths(corpus: Corpus, texts: readonly TokenisedText[], most: number): void {
  const long = texts.find(({ ids }) => ids.length > most);
  if (!long) return;
  throw new InputError(
    `Row ${long.row} of ${
      describeSpec(corpus.spec)
    } has ${long.ids.length} tokens, but a batch holds ` +
      `${most}: raise --block-tokens or split the text.`,
  );
}
