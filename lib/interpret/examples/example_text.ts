/** Texts of the tokens of a row. */
import type { Tokenizer } from "../../formats/tokenizer.ts";

/** What stands in a text for bytes that are no character. */
const REPLACEMENT = "\ufffd";

/** Tokens beside a window that may have a part of its characters: they have four bytes at most. */
const BESIDE = 3;

/**
 * Text of each token of a window of a row. A character split over tokens belongs to the first of them;
 * of one that is split over rows there is nothing, since a row is cut out of a text anywhere.
 *
 * @param row ids of the whole row
 * @param start position of the window's first token
 */
export function windowTexts(
  tokenizer: Tokenizer,
  row: Uint32Array,
  start: number,
  length: number,
): string[] {
  const from = Math.max(0, start - BESIDE);
  const ids = row.subarray(from, start + length + BESIDE);
  return wholeTexts(tokenizer, ids).slice(start - from, start - from + length);
}

/**
 * Activations where there is text to mark: a token that goes on with a character hands its own to the
 * token that has it, which keeps the largest. What goes on with a character before the window has none.
 */
export function ontoTexts(
  activations: Float32Array,
  texts: readonly string[],
): Float32Array<ArrayBuffer> {
  const moved = new Float32Array(activations.length);
  let carrier: number | undefined;
  texts.forEach((text, at) => {
    if (text !== "") carrier = at;
    if (carrier !== undefined) moved[carrier] = Math.max(moved[carrier], activations[at]);
  });
  return moved;
}

/** Text of each token, without the characters that begin before the first or end after the last. */
function wholeTexts(tokenizer: Tokenizer, ids: Uint32Array): string[] {
  const texts = tokenizer.decodePieces(ids);
  const bytes = (at: number) => tokenizer.tokenText(ids[at]);
  for (let at = ids[0] === tokenizer.bosId ? 1 : 0; at < ids.length; at++) {
    const token = bytes(at);
    const first = token.findIndex((byte) => !isContinuation(byte));
    // each stray byte has become a replacement of its own
    texts[at] = texts[at].slice(first < 0 ? token.length : first);
    if (first >= 0) break;
  }
  const lead = openCharacter(ids.length, bytes);
  if (lead !== undefined && texts[lead].endsWith(REPLACEMENT)) {
    texts[lead] = texts[lead].slice(0, -1);
  }
  return texts;
}

/** The token that begins a character which the last tokens do not complete. */
function openCharacter(
  count: number,
  bytes: (at: number) => Uint8Array,
): number | undefined {
  let behind = 0;
  for (let at = count - 1; at >= 0; at--) {
    const token = bytes(at);
    for (let i = token.length - 1; i >= 0; i--) {
      if (!isContinuation(token[i])) return behind + 1 < lengthOf(token[i]) ? at : undefined;
      if (++behind > 3) return undefined;
    }
  }
  return undefined;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Bytes of the character that this byte begins. */
function lengthOf(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/**
 * As published: each token decoded by itself, so that a part of a character is U+FFFD. Where the
 * tokenizer's settings ask for it, spaces before punctuation go, as Hugging Face's decode takes them.
 */
export function lonelyTexts(tokenizer: Tokenizer, ids: Uint32Array): string[] {
  return Array.from(ids, (id) => {
    const text = tokenizer.decode([id]);
    return tokenizer.cleansUpSpaces ? cleanedUp(text) : text;
  });
}

/** What `clean_up_tokenization` of transformers replaces, in its order. */
const CLEANED: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function cleanedUp(text: string): string {
  return CLEANED.reduce((cleaned, [from, to]) => cleaned.replaceAll(from, to), text);
}
