/** Documents → tokens: each has the end-of-sequence token in front. */
import type { Tokenizer } from "../formats/tokenizer.ts";
import { joinedIds } from "./joined_ids.ts";
import type { RowForm } from "./row_form.ts";

/** What stands before a document where the tokenizer names no end-of-sequence token. */
const NO_EOS = "<|endoftext|>";

/** What divides documents, as text. */
export function separatorOf({ eosToken }: Tokenizer): string {
  return eosToken ?? NO_EOS;
}

/** Text tokens of documents: those of their texts in turn, a separator before each. */
export type DocumentTokens = (documents: readonly string[]) => Uint32Array<ArrayBuffer>;

/**
 * Tokens of EOS + document + EOS + document …, as one text (spec train-and-interpret A.5); special
 * tokens that go around a text are left out, since they go around rows.
 *
 * Documents are tokenised one by one where that makes the same tokens, which it does when the
 * separator is a token of its own: a text of ten million characters would take far more memory.
 */
export function documentTokens(tokenizer: Tokenizer, form: RowForm): DocumentTokens {
  const separator = separatorOf(tokenizer);
  const bare = (text: string) => {
    const ids = tokenizer.encode(text);
    return ids.subarray(form.before.length, ids.length - form.after.length);
  };
  const separate = (documents: readonly string[]) =>
    joinedIds(documents.map((document) => bare(separator + document)));
  const together = (documents: readonly string[]) =>
    joinedIds([bare(documents.map((document) => separator + document).join(""))]);
  return sameIds(separate(PROBE), together(PROBE)) ? separate : together;
}

/** Documents whose tokens change where a separator swallows spaces or merges with what is beside it. */
const PROBE = ["a", "b ", " c\n", "", "<", "\nd"];

function sameIds(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
