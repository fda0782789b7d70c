/** Which latents have which words, in files small enough to be fetched for a search. */
import { readNumbers, storeNumbers } from "./latent_numbers.ts";
import { type LatentNumbers, SEARCH_FILES, type SearchFile } from "./layout.ts";
import { fileOf, wordsOf } from "./words.ts";

/** Texts whose words are kept. */
const MOST_TEXTS = 20_000;

/** Collects words latent by latent. */
export class WordIndex {
  readonly #latents = new Map<string, number[]>();
  /** Of texts: many latents fire in the same ones. */
  readonly #words = new Map<string, ReadonlySet<string>>();

  /**
   * Adds a latent; numbers ascend.
   *
   * @param texts where its words are found
   */
  add(latent: number, texts: Iterable<string>): void {
    const words = new Set<string>();
    for (const text of texts) for (const word of this.#wordsOf(text)) words.add(word);
    for (const word of words) {
      const known = this.#latents.get(word);
      if (known) known.push(latent);
      else this.#latents.set(word, [latent]);
    }
  }

  #wordsOf(text: string): ReadonlySet<string> {
    const known = this.#words.get(text);
    if (known) return known;
    const words = wordsOf(text);
    if (this.#words.size === MOST_TEXTS) this.#words.clear();
    this.#words.set(text, words);
    return words;
  }

  /** The files, by number; every one of them. */
  files(): SearchFile[] {
    const files = Array.from({ length: SEARCH_FILES }, (): [string, LatentNumbers][] => []);
    for (const [word, latents] of this.#latents) {
      files[fileOf(word)].push([word, storeNumbers(latents)]);
    }
    return files.map((words) => Object.fromEntries(words));
  }
}

/**
 * Latents that have all words of a text; of its last word the beginning is enough.
 *
 * @param text what is looked for; without any word nothing is found
 * @param read gives the file of a number
 */
export async function searchWords(
  text: string,
  read: (file: number) => Promise<SearchFile>,
): Promise<Set<number>> {
  const words = [...wordsOf(text)];
  let found: Set<number> | undefined;
  for (const [i, word] of words.entries()) {
    const file = await read(fileOf(word));
    const begins = i === words.length - 1;
    const here = new Set(
      Object.keys(file).filter((known) => begins ? known.startsWith(word) : known === word)
        .flatMap((known) => readNumbers(file[known])),
    );
    found = found ? found.intersection(here) : here;
  }
  return found ?? new Set();
}
