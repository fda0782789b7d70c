/** The table of features, one row per (language, feature): features.csv and features.parquet. */
import type { Certainty, FeatureCertainty } from "./certainty.ts";
import type { Feature, Identification } from "./identification.ts";
import type { LapeFeature, LapeResult } from "./lape_json.ts";

/** Columns by name, in the order in which they are written; all of one length; null: not known. */
export type FeatureColumns = Record<string, (string | number | null)[]>;

type Values<F> = Readonly<Record<string, (feature: F) => number>>;

const COLUMNS: Values<Feature> = {
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
  monolinguality: ({ monolinguality }) => monolinguality,
};

const CERTAINTY_COLUMNS: Readonly<
  Record<string, (certainty: FeatureCertainty) => number | undefined>
> = {
  entropy_low: ({ entropyLow }) => entropyLow,
  entropy_high: ({ entropyHigh }) => entropyHigh,
  entropy_bias: ({ entropyBias }) => entropyBias,
  probability_low: ({ probabilityLow }) => probabilityLow,
  probability_high: ({ probabilityHigh }) => probabilityHigh,
  p_value: ({ pValue }) => pValue,
  q_value: ({ qValue }) => qValue,
};

/** What lape.json keeps of them. */
const LAPE_COLUMNS: Values<LapeFeature> = {
  layer: ({ layer }) => layer,
  index: ({ index }) => index,
  entropy: ({ entropy }) => entropy,
  probability: ({ probability }) => probability,
  global_max: ({ globalMax }) => globalMax,
  global_min: ({ globalMin }) => globalMin,
  global_avg: ({ globalAvg }) => globalAvg,
};

/**
 * Features as columns, rows by language, then layer, then index. `max`, `min`, `avg`, `fired_*` are
 * over the language's own texts, `global_*` over all; `shares` is the number of languages that own
 * the feature. Intervals (95 %), p and q stand last; null where there are none.
 *
 * @param codes language codes by qualified name; adds the column `lang`, empty for a missing name
 */
export function featureColumns(
  { languages, features }: Identification,
  codes?: ReadonlyMap<string, string>,
  certainty?: Certainty,
): FeatureColumns {
  const columns = columnsOf(languages, features, COLUMNS, codes);
  const known = features.flatMap((list, g) => list.map((_, i) => certainty?.features[g][i] ?? {}));
  for (const [name, valueOf] of Object.entries(CERTAINTY_COLUMNS)) {
    columns[name] = known.map((row) => orNull(valueOf(row)));
  }
  columns.monolinguality = columns.monolinguality.map(orNull);
  return columns;
}

function orNull(value: FeatureColumns[string][number] | undefined) {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** The same of a lape.json or lape_all.pt that was read, with the columns that it has. */
export function lapeColumns(
  { languages, features }: LapeResult,
  codes?: ReadonlyMap<string, string>,
): FeatureColumns {
  return columnsOf(languages, features, LAPE_COLUMNS, codes);
}

function columnsOf<F>(
  languages: readonly string[],
  features: readonly (readonly F[])[],
  values: Values<F>,
  codes?: ReadonlyMap<string, string>,
): FeatureColumns {
  const perRow = <T>(valueOf: (language: string, feature: F) => T) =>
    languages.flatMap((language, g) => features[g].map((feature) => valueOf(language, feature)));
  const columns: FeatureColumns = { language: perRow((language) => language) };
  if (codes) columns.lang = perRow((language) => codes.get(language) ?? "");
  for (const [name, valueOf] of Object.entries(values)) {
    columns[name] = perRow((_, feature) => valueOf(feature));
  }
  return columns;
}
