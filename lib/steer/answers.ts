/** The texts of new token ids, as `generate` and the published script write them. */
import type { Tokenizer } from "../formats/tokenizer.ts";

/**
 * What comes after the prompt, without the token that ends it. All ids are decoded together, so that
 * characters are whole and no space is taken for the beginning of a text.
 *
 * @param ids after the prompt's
 */
export function answer(
  tokenizer: Tokenizer,
  prompt: Uint32Array,
  ids: Uint32Array,
  endIds: readonly number[],
): string {
  const shown = endIds.includes(ids[ids.length - 1]) ? ids.subarray(0, -1) : ids;
  return tokenizer.decodePieces([...prompt, ...shown]).slice(prompt.length).join("");
}

/**
 * What the published script takes for the answer when it steers at the last token only: the last
 * `maxNewTokens` ids of the whole, a part of the prompt among them where the text ended early (quirk 16).
 */
export function publishedAnswer(
  tokenizer: Tokenizer,
  prompt: Uint32Array,
  ids: Uint32Array,
  maxNewTokens: number,
): string {
  return tokenizer.decode([...prompt, ...ids].slice(-maxNewTokens));
}
