/** Languages: the 15 of the paper in one table, and a name for any other code. */

import { InputError } from "../formats/input_error.ts";

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

/** Names of languages in English; undefined for a code that is not one. */
const ENGLISH_NAMES = new Intl.DisplayNames("en", { type: "language", fallback: "none" });

/** Two or three letters, and maybe a script: en, eng, eng_Latn, sr-Latn. */
const CODE = /^([a-z]{2,3})(?:[_-]([A-Z][a-z]{3}))?$/;

/**
 * The language of a code: two or three letters (ISO 639), or FLORES+ style with a script. A script
 * other than the language's usual one is another language: `zho_Hant` is Traditional Chinese.
 *
 * @throws InputError for an unknown code, with the code that may have been meant
 */
export function languageOf(code: string): Language {
  const known = paperLanguageOf(code) ?? otherLanguage(code);
  if (known) return { ...known, code };
  const meant = closest(code);
  throw new InputError(
    `Unknown language ${JSON.stringify(code)}, expected an ISO 639 code such as ` +
      `${LANGUAGES.map(({ code }) => code).join(" ")}` +
      (meant ? `; did you mean ${meant.code} (${meant.name})?` : "; check its spelling."),
  );
}

/** The paper's language of a code in any of its spellings. */
export function paperLanguageOf(code: string): PaperLanguage | undefined {
  return LANGUAGES.find((language) => spellings(language).includes(code));
}

function spellings({ code, iso3, flores }: PaperLanguage): string[] {
  return [code, iso3, flores, flores.slice(0, 3)];
}

function otherLanguage(code: string): Language | undefined {
  const [, base, script] = CODE.exec(code) ?? [];
  const baseName = base && ENGLISH_NAMES.of(base);
  if (!baseName) return undefined;
  const usual = new Intl.Locale(base).maximize().script ?? "Zyyy";
  if (!script || script === usual) {
    const inPaper = LANGUAGES.find(({ name }) => name === baseName);
    return inPaper ?? { code, name: baseName, script: usual, direction: directionOf(base) };
  }
  const locale = `${base}-${script}`;
  const name = ENGLISH_NAMES.of(locale);
  return name ? { code, name, script, direction: directionOf(locale) } : undefined;
}

function directionOf(locale: string): "ltr" | "rtl" {
  // in ES2026, but not yet in TypeScript's own library types
  type WithTextInfo = { getTextInfo(): { direction: "ltr" | "rtl" } };
  return (new Intl.Locale(locale) as unknown as WithTextInfo).getTextInfo().direction;
}

/** The paper's language that a wrong code most likely means: its name, or one letter off. */
function closest(wrong: string): PaperLanguage | undefined {
  const lower = wrong.toLowerCase();
  if (lower.length < 2) return undefined;
  return LANGUAGES.find(({ name }) => name.toLowerCase().startsWith(lower)) ??
    LANGUAGES.find((language) => spellings(language).some((s) => s.toLowerCase() === lower)) ??
    LANGUAGES.find((language) => spellings(language).some((s) => isOneLetterOff(lower, s)));
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
