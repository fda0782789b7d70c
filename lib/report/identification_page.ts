/** An identification and what its features fire on, as the data of a report page. */
import type { Certainty, FeatureCertainty } from "../lape/certainty.ts";
import type { Feature, Identification } from "../lape/identification.ts";
import type { PooledCounts } from "../lape/pool.ts";
import type { Language } from "../data/languages.ts";
import type { FeatureMap, Firing } from "../interpret/firings.ts";
import {
  type ActiveSample,
  type Sample,
  strongestSamples,
  topTokens,
} from "../interpret/samples.ts";
import {
  CARDS_PER_LANGUAGE,
  type ReportData,
  type ReportExample,
  type ReportFeature,
} from "./report_data.ts";

const TOKENS_PER_CARD = 8;
const EXAMPLES_PER_CARD = 3;

/** What was found and seen, before it becomes a page. */
export interface IdentificationPage {
  readonly identification: Identification;
  readonly pooled: PooledCounts;
  /** In the order of `identification.languages`. */
  readonly languages: readonly Language[];
  readonly samples: readonly Sample[];
  readonly firings: FeatureMap<Firing[]>;
  readonly certainty?: Certainty;
}

/** The features that a page shows with tokens and examples: those of lowest entropy. */
export function shownFeatures({ features }: Identification): Feature[] {
  return features.flatMap((list) => strongest(list, CARDS_PER_LANGUAGE));
}

/** The features of lowest entropy, lowest first. */
export function strongest(features: readonly Feature[], most: number): Feature[] {
  return features.toSorted((a, b) => a.rank - b.rank).slice(0, most);
}

/** The findings of a page; the caller adds what was asked. */
export function pageFindings(
  page: IdentificationPage,
): Pick<
  ReportData,
  "languages" | "layers" | "width" | "candidates" | "shareHistogram" | "features"
> {
  const { identification, pooled, languages, certainty } = page;
  return {
    languages: languages.map(({ name, direction, ...language }, g) => ({
      name,
      direction,
      code: bcp47(language),
      examples: pooled.byLanguage[g].examples,
      tokens: pooled.byLanguage[g].tokens,
    })),
    layers: pooled.layers,
    width: pooled.width,
    candidates: identification.candidates.map(({ layer, index, entropy, owners }) => ({
      layer,
      index,
      entropy,
      shares: owners.length,
    })),
    shareHistogram: identification.shareHistogram,
    features: identification.features.map((list, g) =>
      list.map((feature, i) => ({
        ...reportFeature(page, feature, languages[g].name),
        ...reportCertainty(certainty?.features[g][i]),
      }))
    ),
  };
}

function reportFeature(
  { samples, firings }: IdentificationPage,
  feature: Feature,
  language: string,
): ReportFeature {
  const { layer, index, entropy, probability, probabilities, globalMax } = feature;
  const fired = firings.get(layer, index) ?? [];
  return {
    layer,
    index,
    entropy,
    probability,
    probabilities: [...probabilities],
    max: globalMax,
    topTokens: topTokens(fired, samples, language, TOKENS_PER_CARD),
    examples: strongestSamples(fired, samples, language, EXAMPLES_PER_CARD).map(reportExample),
  };
}

function reportCertainty(
  { entropyLow = NaN, entropyHigh = NaN, qValue }: FeatureCertainty = {},
): Pick<ReportFeature, "entropyInterval" | "qValue"> {
  const known = !Number.isNaN(entropyLow);
  return { ...known && { entropyInterval: { low: entropyLow, high: entropyHigh } }, qValue };
}

function reportExample({ sample, activations }: ActiveSample): ReportExample {
  const { language, label, pieces } = sample;
  return {
    language: bcp47(language),
    label,
    // BOS is no text; it is shown only where the feature fires on it.
    pieces: pieces.map((text, token) => ({ text, activation: activations[token] }))
      .filter(({ activation }, token) => token > 0 || activation > 0),
  };
}

/** FLORES writes `zho_Hant`, BCP 47 `zho-Hant`; plain Chinese is the simplified script of the paper. */
function bcp47({ code, script }: Pick<Language, "code" | "script">): string {
  return code === "zh" ? `zh-${script}` : code.replace("_", "-");
}
