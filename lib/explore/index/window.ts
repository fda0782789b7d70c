/** The part of a text around a token. */

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Tokens beside a border that are looked at and may be added: more than a letter is split into. */
const MARGIN = 24;

/**
 * At most `size` tokens with `middle` in the middle, shifted inwards at the ends of the text, and as many
 * more as it takes to tear no letter from its vowel sign or accent.
 *
 * @param begins the first token that may be shown
 * @returns first token, and one past the last
 */
export function windowAround(
  pieces: readonly string[],
  middle: number,
  size: number,
  begins = 0,
): readonly [first: number, end: number] {
  const half = Math.floor(size / 2);
  const from = Math.max(begins, Math.min(middle - half, pieces.length - size));
  const to = Math.min(pieces.length, from + size);
  const least = Math.max(begins, from - MARGIN);
  const most = Math.min(pieces.length, to + MARGIN);
  let [first, end] = [from, to];
  while (first > least && !isBorder(pieces, first)) first--;
  while (end < most && !isBorder(pieces, end)) end++;
  return [first, end];
}

/** Whether a letter, as readers see it, ends before a token. */
function isBorder(pieces: readonly string[], token: number): boolean {
  // a part of a character has no text of its own: the character is that of a token before
  if (pieces[token] === "") return false;
  const before = pieces.slice(Math.max(0, token - MARGIN), token).join("").slice(-1000);
  const after = pieces.slice(token, token + MARGIN).join("").slice(0, 1000);
  return graphemes.segment(before + after).containing(before.length)?.index === before.length;
}
