/** Words of texts as the site's search knows them; the same when the index is made and when it is asked. */
import { SEARCH_FILES } from "./layout.ts";

/** Letters, digits and marks that stand together. */
const RUN = /[\p{L}\p{M}\p{N}]+/gu;

/** Scripts that put no spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Longest word that is told from others, in characters. */
const LONGEST = 24;

/**
 * The words of a text, each once: without case, and in Unicode's compatible form. Where words are not
 * set apart by spaces, every two neighbouring characters are one.
 */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  for (const [run] of text.normalize("NFKC").toLowerCase().matchAll(RUN)) {
    const characters = [...run];
    if (characters.length < 3 || !UNSPACED.test(run)) {
      words.add(characters.slice(0, LONGEST).join(""));
      continue;
    }
    for (let at = 0; at + 1 < characters.length; at++) {
      words.add(characters[at] + characters[at + 1]);
    }
  }
  return words;
}

/** The file of a word: words that begin alike are in the same, so that the beginning of one is enough. */
export function fileOf(word: string): number {
  const [first, second = ""] = word;
  const key = UNSPACED.test(first) ? first : first + second;
  let hash = 0x811c9dc5;
  for (const character of key) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return hash % SEARCH_FILES;
}
