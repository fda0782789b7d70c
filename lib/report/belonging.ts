/** Which languages the features belong to, as the figures and sentences ask for it. */
import type { ReportData, ReportFeature } from "./report_data.ts";

/** Positions of the languages, those with most features first, then by name. */
export function byTotal({ languages, features }: ReportData): number[] {
  return languages.map((_, g) => g).sort((a, b) =>
    features[b].length - features[a].length || (languages[a].name < languages[b].name ? -1 : 1)
  );
}

/** Every feature once, with the number of languages it is listed under. */
export function distinctFeatures(
  data: ReportData,
): { readonly feature: ReportFeature; owners: number }[] {
  const found = new Map<number, { readonly feature: ReportFeature; owners: number }>();
  for (const feature of data.features.flat()) {
    const key = feature.layer * data.width + feature.index;
    const seen = found.get(key);
    if (seen === undefined) found.set(key, { feature, owners: 1 });
    else seen.owners++;
  }
  return [...found.values()];
}

/** The other language with the highest activation probability; -1 where there is only one. */
export function nextLanguage({ probabilities }: ReportFeature, owner: number): number {
  const others = probabilities.map((_, g) => g).filter((g) => g !== owner);
  return others.reduce((best, g) => probabilities[g] > probabilities[best] ? g : best, others[0]) ??
    -1;
}

/** The id of a language's section on the page. */
export function languageId(code: string): string {
  return code.replace(/[^A-Za-z0-9-]/g, "_");
}
