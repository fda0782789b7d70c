/** The table of features, one row per (language, feature): features.csv and features.parquet. */
import type { Feature, Identification } from "./identification.ts";

/** Columns by name, in the order in which they are written; all of one length. */
export type FeatureColumns = Record<string, (string | number)[]>;

const COLUMNS: Readonly<Record<string, (feature: Feature) => number>> = {
  layer: ({ layer }) => layer,
  index: ({ index }) => index,
  entropy: ({ entropy }) => entropy,
  probability: ({ probability }) => probability,
  rank: ({ rank }) => rank,
  shares: ({ owners }) => owners.length,
  fired_tokens: ({ firedTokens }) => firedTokens,
  fired_examples: ({ firedExamples }) => firedExamples,
  max: ({ max }) => max,
  min: ({ min }) => min,
  avg: ({ avg }) => avg,
  global_max: ({ globalMax }) => globalMax,
  global_min: ({ globalMin }) => globalMin,
  global_avg: ({ globalAvg }) => globalAvg,
};

/**
 * Features as columns, rows by language, then layer, then index. `max`, `min`, `avg`, `fired_*` are
 * over the language's own texts, `global_*` over all; `shares` is the number of languages that own
 * the feature.
 *
 * @param codes language codes by qualified name; adds the column `lang`, empty for a missing name
 */
export function featureColumns(
  { languages, features }: Identification,
  codes?: ReadonlyMap<string, string>,
): FeatureColumns {
  const perRow = <T>(valueOf: (language: string, feature: Feature) => T) =>
    languages.flatMap((language, g) => features[g].map((feature) => valueOf(language, feature)));
  const columns: FeatureColumns = { language: perRow((language) => language) };
  if (codes) columns.lang = perRow((language) => codes.get(language) ?? "");
  for (const [name, valueOf] of Object.entries(COLUMNS)) {
    columns[name] = perRow((_, feature) => valueOf(feature));
  }
  return columns;
}
