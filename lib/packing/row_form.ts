/** What a row of training data looks like: how many tokens, and which of them are not text. */
import { InputError } from "../formats/input_error.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";

/** Rows of one tokenizer: `before`, then text tokens, then `after`, together `contextLength`. */
export interface RowForm {
  /** Tokens of a row. */
  readonly contextLength: number;
  /** Special tokens in front of every row: BOS for a Llama 3. */
  readonly before: Uint32Array<ArrayBuffer>;
  /** Special tokens behind every row: none for a Llama 3. */
  readonly after: Uint32Array<ArrayBuffer>;
  /** Tokens of text in a row: what is left of it. */
  readonly textTokens: number;
}

/**
 * Rows as sparsify's chunk_and_tokenize makes them (spec train-and-interpret A.5): special tokens are
 * added to every row, and a row is no longer than the model can read.
 *
 * @param contextLength most tokens of a row
 * @throws InputError when no text fits a row
 */
export function rowForm(tokenizer: Tokenizer, contextLength: number): RowForm {
  const length = Math.min(contextLength, tokenizer.modelMaxLength);
  const around = tokenizer.encode("");
  const before = around.slice(0, sharedStart(around, tokenizer.encode("a")));
  const after = around.slice(before.length);
  const textTokens = length - around.length;
  if (textTokens > 0) return { contextLength: length, before, after, textTokens };
  throw new InputError(
    `Rows of ${length} tokens have no room for text beside the ${around.length} special tokens that ` +
      `the tokenizer adds to each; raise --ctx-len.`,
  );
}

/** How many tokens two lists have in common at their begin. */
function sharedStart(a: Uint32Array, b: Uint32Array): number {
  const differs = a.findIndex((id, i) => b[i] !== id);
  return differs < 0 ? a.length : differs;
}
