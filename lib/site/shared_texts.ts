/** Texts that many latents fire in: each is written once. */
import type { Context } from "../explore/backend.ts";
import { SHARED_CHARACTERS } from "./layout.ts";
import { storeActivations, type StoredContext, type StoredText } from "./stored.ts";

/** The texts of one language, as contexts name them. */
export class SharedTexts {
  readonly #texts: StoredText[] = [];
  readonly #places = new Map<string, number>();
  #characters = 0;

  /** All texts so far, in the order of their places. */
  get texts(): readonly StoredText[] {
    return this.#texts;
  }

  /** A context whose text is shared, while there is room. */
  store({ label, pieces }: Context): StoredContext {
    const text: StoredText = [label, pieces.map(({ text }) => text)];
    return [this.#placeOf(text) ?? text, storeActivations(pieces)];
  }

  #placeOf(text: StoredText): number | undefined {
    const key = JSON.stringify(text);
    const known = this.#places.get(key);
    if (known !== undefined || this.#characters + key.length > SHARED_CHARACTERS) return known;
    const place = this.#texts.push(text) - 1;
    this.#places.set(key, place);
    this.#characters += key.length;
    return place;
  }
}
