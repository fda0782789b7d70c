/// <reference lib="dom" />
import type { Choice } from "../figure_choice.ts";
import { elements } from "./elements.ts";

/** What is looked for among the features. */
export interface Search extends Choice {
  /** All of them have to be found in what the page says of a feature; "" for all features. */
  readonly words: string;
}

/** A card or a line of a table that is of one feature. */
interface Item {
  readonly element: HTMLElement;
  /** Layer and index. */
  readonly feature: string;
  readonly layer: string;
  /** Languages it is listed under. */
  readonly languages: readonly string[];
}

/** The features that the page lists, as cards and in tables. */
export class Listing {
  readonly #items: readonly Item[] = elements("[data-feature]").map((element) => {
    const { feature = "", layer = "", languages = "[]" } = element.dataset;
    return { element, feature, layer, languages: JSON.parse(languages) };
  });
  /** What the page says of each feature, without case. */
  readonly #texts = new Map(
    [...Map.groupBy(this.#items, ({ feature }) => feature)].map(([feature, items]) => {
      const said = items.flatMap(({ element }) => elements("[data-searched]", element))
        .map(({ textContent }) => textContent ?? "");
      return [feature, folded([feature, ...said].join("\n"))];
    }),
  );
  /** Sections and folded lists, innermost first: hidden when nothing in them is shown. */
  readonly #holders = elements("[data-holds-features]").reverse();
  /** Folded lists that a search has opened. */
  readonly #opened = new Set<HTMLDetailsElement>();

  /** Features that are listed. */
  readonly size = this.#texts.size;

  /** Shows only what is looked for. @returns the number of features */
  show({ language, layer, words }: Search): number {
    const wanted = folded(words).split(/\s+/).filter((word) => word !== "");
    const shown = new Set<string>();
    for (const item of this.#items) {
      const fits = (language === "" || item.languages.includes(language)) &&
        (layer === "" || item.layer === layer) &&
        wanted.every((word) => this.#texts.get(item.feature)?.includes(word));
      item.element.hidden = !fits;
      if (fits) shown.add(item.feature);
    }
    const all = language === "" && layer === "" && wanted.length === 0;
    this.#fold(all, wanted.length > 0);
    return shown.size;
  }

  /** What a search finds is not left folded away; afterwards it is folded again. */
  #fold(all: boolean, searching: boolean): void {
    for (const holder of this.#holders) {
      const filled = holder.querySelector("[data-feature]:not([hidden])") !== null;
      holder.hidden = !all && !filled;
      if (!(holder instanceof HTMLDetailsElement)) continue;
      if (searching && filled && !holder.open) {
        holder.open = true;
        this.#opened.add(holder);
      } else if (!searching && this.#opened.delete(holder)) {
        holder.open = false;
      }
    }
  }
}

/** Upper and lower case, and the ways to write an accent, do not matter. */
function folded(text: string): string {
  return text.normalize("NFKC").toLocaleLowerCase("en");
}
