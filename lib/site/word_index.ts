/** Which latents have which words, in files small enough to be fetched for a search. */
import { SEARCH_FILES, type SearchFile } from "./layout.ts";
import { fileOf, wordsOf } from "./words.ts";

/** Collects words latent by latent. */
export class WordIndex {
  readonly #latents = new Map<string, number[]>();

  /**
   * Adds a latent; numbers ascend.
   *
   * @param texts where its words are found
   */
  add(latent: number, texts: Iterable<string>): void {
    const words = new Set<string>();
    for (const text of texts) for (const word of wordsOf(text)) words.add(word);
    for (const word of words) {
      const known = this.#latents.get(word);
      if (known) known.push(latent);
      else this.#latents.set(word, [latent]);
    }
  }

  /** The files, by number; every one of them. */
  files(): SearchFile[] {
    const files = Array.from({ length: SEARCH_FILES }, (): [string, number[]][] => []);
    for (const [word, latents] of this.#latents) {
      const steps = latents.map((latent, i) => latent - (latents[i - 1] ?? 0));
      files[fileOf(word)].push([word, steps]);
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
        .flatMap((known) => latentsOf(file[known])),
    );
    found = found ? found.intersection(here) : here;
  }
  return found ?? new Set();
}

function latentsOf(steps: readonly number[]): number[] {
  let latent = 0;
  return steps.map((step) => latent += step);
}
