/** Texts of the index as they were read last: the pages of a latent ask for the same ones again and again. */

/** A text of the index. */
export interface IndexedText {
  readonly id: number;
  /** Position among the languages. */
  readonly language: number;
  /** Where it comes from, e.g. `udhr:bg row 12`. */
  readonly label: string;
  /** Text of each token. */
  readonly pieces: readonly string[];
}

/** UTF-16 units of the texts that are kept. */
const MOST_KEPT = 2 ** 22;

/** Texts by id; of more than fit those go that were asked for longest ago. */
export class KeptTexts {
  readonly #read: (id: number) => IndexedText;
  readonly #most: number;
  readonly #texts = new Map<number, IndexedText>();
  #length = 0;

  /**
   * @param read gives a text that is not kept
   * @param most UTF-16 units that are kept
   */
  constructor(read: (id: number) => IndexedText, most = MOST_KEPT) {
    this.#read = read;
    this.#most = most;
  }

  /** A text, kept or read. */
  get(id: number): IndexedText {
    const known = this.#texts.get(id);
    if (known) this.#texts.delete(id); // put last again
    const text = known ?? this.#read(id);
    this.#texts.set(id, text);
    if (!known) this.#makeRoom(text);
    return text;
  }

  #makeRoom(fresh: IndexedText): void {
    this.#length += lengthOf(fresh);
    for (const [id, text] of this.#texts) {
      if (this.#length <= this.#most) return;
      this.#texts.delete(id);
      this.#length -= lengthOf(text);
    }
  }
}

/** A token counts as one unit at least: also an empty one takes memory. */
function lengthOf({ pieces }: IndexedText): number {
  return pieces.reduce((sum, piece) => sum + Math.max(1, piece.length), 0);
}
