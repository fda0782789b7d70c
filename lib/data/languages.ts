/** Languages: what a code means, and the paper's 15 with their colours. */

import { InputError } from "../formats/input_error.ts";
import { LANGUAGE_ROWS, type LanguageRow } from "./language_table.ts";

/** A language as texts, tables and pages need it. */
export interface Language {
  /** The code that was asked for, e.g. "en", "eng_Latn" or "eng". */
  readonly code: string;
  /** English name; data sets of the same name are pooled. */
  readonly name: string;
  /** ISO 15924 code of the script, e.g. "Latn". */
  readonly script: string;
  /** Direction of the script. */
  readonly direction: "ltr" | "rtl";
  /** Colour in the paper's figures; other languages have none. */
  readonly colour?: string;
}

/** One of the paper's languages; `code` is its two-letter code. */
export interface PaperLanguage extends Language {
  /** Code as FLORES+ writes it, e.g. "eng_Latn". */
  readonly flores: string;
  /** Three-letter code as WiLI-2018 writes it, e.g. "eng". */
  readonly iso3: string;
  readonly colour: string;
}

/** The paper's 15 languages in its order (spec section 1). */
export const LANGUAGES: readonly PaperLanguage[] = [
  paperLanguage("en", "English", "eng_Latn", "eng", "#6a76fc"),
  paperLanguage("de", "German", "deu_Latn", "deu", "#fe00ce"),
  paperLanguage("fr", "French", "fra_Latn", "fra", "#fed4c4"),
  paperLanguage("it", "Italian", "ita_Latn", "ita", "#f6f926"),
  paperLanguage("pt", "Portuguese", "por_Latn", "por", "#eea6fb"),
  paperLanguage("hi", "Hindi", "hin_Deva", "hin", "#0df9ff"),
  paperLanguage("es", "Spanish", "spa_Latn", "spa", "#d626ff"),
  paperLanguage("th", "Thai", "tha_Thai", "tha", "#6e899c"),
  paperLanguage("bg", "Bulgarian", "bul_Cyrl", "bul", "#fd3216"),
  paperLanguage("ru", "Russian", "rus_Cyrl", "rus", "#dc587d"),
  paperLanguage("tr", "Turkish", "tur_Latn", "tur", "#00b5f7"),
  paperLanguage("vi", "Vietnamese", "vie_Latn", "vie", "#b68e00"),
  paperLanguage("ja", "Japanese", "jpn_Jpan", "jpn", "#ff9616"),
  paperLanguage("ko", "Korean", "kor_Hang", "kor", "#479b55"),
  paperLanguage("zh", "Chinese", "cmn_Hans", "zho", "#00fe35"),
];

function paperLanguage(
  code: string,
  name: string,
  flores: string,
  iso3: string,
  colour: string,
): PaperLanguage {
  return { code, name, flores, iso3, colour, script: flores.slice(4), direction: "ltr" };
}

/** Names in English; undefined for a code that is not one. */
const LANGUAGE_NAMES = new Intl.DisplayNames("en", { type: "language", fallback: "none" });
const SCRIPT_NAMES = new Intl.DisplayNames("en", { type: "script", fallback: "none" });

/** Scripts, of those that languages here have, that run from right to left. */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set([
  "Adlm",
  "Arab",
  "Hebr",
  "Nkoo",
  "Syrc",
  "Thaa",
]);

/** Each code of the table, and its row. */
const ROWS: ReadonlyMap<string, LanguageRow> = new Map(
  LANGUAGE_ROWS.flatMap((row) => row[0].split(" ").map((code) => [code, row] as const)),
);

/** Two or three letters, and maybe a script and a country: en, eng_Latn, sr-Latn, sw_KE. */
const CODE = /^([a-z]{2,3})(?:[_-]([A-Z][a-z]{3}))?(?:[_-][A-Z]{2})?$/;

/**
 * The language of a code in any spelling that data sets use: ISO 639 with two or three letters,
 * FLORES+ with a script, a label of WiLI-2018. Codes of one language, macrolanguages included, give
 * one name. A script other than the language's usual one is another language: `zho_Hant` is
 * Traditional Chinese.
 *
 * @throws InputError for an unknown code, with the code that may have been meant
 */
export function languageOf(code: string): Language {
  const known = knownLanguage(code);
  if (known) return { ...known, code };
  const meant = closest(code);
  throw new InputError(
    `Unknown language ${JSON.stringify(code)}, expected an ISO 639 code such as ` +
      `${LANGUAGES.map(({ code }) => code).join(" ")}` +
      (meant ? `; did you mean ${meant.code} (${meant.name})?` : "; check its spelling."),
  );
}

/** True when `languageOf` knows the code. */
export function isLanguage(code: string): boolean {
  return knownLanguage(code) !== undefined;
}

/** The paper's language of a code in any of its spellings. */
export function paperLanguageOf(code: string): PaperLanguage | undefined {
  const name = knownLanguage(code)?.name;
  return LANGUAGES.find((language) => language.name === name);
}

/**
 * All codes that mean the language of `code`, itself first: `en`, `eng`, `en_Latn`, `eng_Latn`.
 *
 * @throws InputError for an unknown code
 */
export function spellingsOf(code: string): string[] {
  const { name, script } = languageOf(code);
  const listed = LANGUAGE_ROWS.find((row) => row[1] === name)?.[0].split(" ");
  if (listed) return [...new Set([code, ...listed, ...listed.map((c) => withScript(c, script))])];
  const [, base] = CODE.exec(code) ?? [];
  const bases = base ? ROWS.get(base)?.[0].split(" ") ?? [base] : [];
  return [...new Set([code, ...bases.map((c) => withScript(c, script))])];
}

function withScript(code: string, script: string): string {
  return /^[a-z]{2,3}$/.test(code) ? `${code}_${script}` : code;
}

function knownLanguage(code: string): Omit<Language, "code"> | undefined {
  const exact = ROWS.get(code);
  if (exact) return rowLanguage(exact);
  const [, base, script] = CODE.exec(code) ?? [];
  if (!base) return undefined;
  const row = ROWS.get(script ? `${base}_${script}` : base) ?? ROWS.get(base) ?? unlistedRow(base);
  if (!row) return undefined;
  const usual = rowLanguage(row);
  // a row found by its script is right as it is
  if (!script || script === usual.script || ROWS.has(`${base}_${script}`)) return usual;
  const scriptName = SCRIPT_NAMES.of(script);
  return scriptName ? language(`${usual.name} (${scriptName})`, script) : undefined;
}

function rowLanguage([, name, script]: LanguageRow): Omit<Language, "code"> {
  return LANGUAGES.find((language) => language.name === name) ?? language(name, script);
}

function language(name: string, script: string): Omit<Language, "code"> {
  return { name, script, direction: RIGHT_TO_LEFT.has(script) ? "rtl" : "ltr" };
}

/** A language that Unicode names but no row lists. */
function unlistedRow(base: string): LanguageRow | undefined {
  const name = LANGUAGE_NAMES.of(base);
  return name ? [base, name, new Intl.Locale(base).maximize().script ?? "Zyyy"] : undefined;
}

/** The paper's language that a wrong code most likely means: its name, or one letter off. */
function closest(wrong: string): PaperLanguage | undefined {
  const lower = wrong.toLowerCase();
  if (lower.length < 2) return undefined;
  return LANGUAGES.find(({ name }) => name.toLowerCase().startsWith(lower)) ??
    LANGUAGES.find((language) => spellings(language).some((s) => s.toLowerCase() === lower)) ??
    LANGUAGES.find((language) => spellings(language).some((s) => isOneLetterOff(lower, s)));
}

function spellings({ code, iso3, flores }: PaperLanguage): string[] {
  return [code, iso3, flores, flores.slice(0, 3)];
}

/** One letter replaced, missing or too many; the first letter must be right. */
function isOneLetterOff(wrong: string, right: string): boolean {
  if (wrong[0] !== right[0] || Math.abs(wrong.length - right.length) > 1) return false;
  let same = 0;
  while (same < wrong.length && wrong[same] === right[same]) same++;
  return [[1, 1], [1, 0], [0, 1]].some(([skip, miss]) =>
    wrong.slice(same + skip) === right.slice(same + miss)
  );
}
