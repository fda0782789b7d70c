import type { ReportData } from "./report_data.ts";

/** Positions of the languages, those with most features first, then by name. */
export function byTotal(data: ReportData): number[] {
  const { languages, features } = data;
  return languages.map((_, g) => g).sort((a, b) =>
    features[b].length - features[a].length || (languages[a].name < languages[b].name ? -1 : 1)
  );
}

/** The id of a language's section on the page. */
export function languageId(code: string): string {
  return code.replace(/[^A-Za-z0-9-]/g, "_");
}
