/** Codes under which classification writes languages. */
import { LANGUAGE_ROWS } from "../data/language_table.ts";
import { LANGUAGES } from "../data/languages.ts";

const CODES: ReadonlyMap<string, string> = new Map([
  ...LANGUAGE_ROWS.flatMap(([codes, name]) => {
    const iso3 = codes.split(" ").find((code) => /^[a-z]{3}$/.test(code));
    return iso3 === undefined ? [] : [[name, iso3] as const];
  }),
  // the paper's own choice where there are several: zho
  ...LANGUAGES.map(({ name, iso3 }) => [name, iso3] as const),
]);

/** ISO 639-3 code of a qualified name; the name itself where there is none. */
export function iso3Of(language: string): string {
  return CODES.get(language) ?? language;
}
