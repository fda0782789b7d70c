/**
 * What the files of a site say of latents and texts: the explorer's answers without repeated names,
 * and texts, without zeros, and with four digits.
 */
import type { Context, FeatureDetail, FeatureSummary, Related } from "../explore/backend.ts";

/** Languages by name, in the order of the overview. */
export type LanguageNames = readonly string[];

/** A latent in a list; languages by number. */
export type StoredSummary = readonly [
  layer: number,
  index: number,
  languages: readonly number[],
  entropy: number | null,
  probability: number,
  explanation: string | null,
  topTokens: readonly string[],
];

/** Another latent; languages by number. */
type StoredRelated = readonly [
  layer: number,
  index: number,
  cosine: number,
  languages: readonly number[],
];

/** A latent's page. */
export interface StoredDetail {
  readonly summary: StoredSummary;
  readonly entropyInterval: FeatureDetail["entropyInterval"];
  readonly qValue: number | null;
  readonly max: number;
  /** In the order of the overview: probability, mean, largest, and the interval where there is one. */
  readonly perLanguage: readonly (readonly number[])[];
  /** Intervals of the histogram. */
  readonly bins: number;
  /** Tokens in each up to the last with any, by number of the language; languages without any are left out. */
  readonly histogram: Readonly<Record<string, readonly number[]>>;
  readonly outputTokens: readonly (readonly [text: string, logit: number])[];
  readonly nearest: readonly StoredRelated[];
  readonly opposing: readonly StoredRelated[];
  readonly scores: FeatureDetail["scores"];
}

/** Which tokens of a text a latent fires on, and how strongly: token, activation, token, activation… */
export type StoredActivations = readonly number[];

/** A text, or a part of one; its language is known from where it lies. */
export type StoredText = readonly [label: string, pieces: readonly string[]];

/** Where a latent fires in a text: its place in the file of its language's texts, or itself. */
export type StoredContext = readonly [
  text: number | StoredText,
  activations: StoredActivations,
];

/** A number as it is shown: no page has more digits. */
export function shortened(value: number): number {
  return Number(value.toPrecision(4));
}

/** A latent in a list, as it is stored. */
export function storeSummary(summary: FeatureSummary, names: LanguageNames): StoredSummary {
  const { layer, index, languages, entropy, probability, explanation, topTokens } = summary;
  return [
    layer,
    index,
    numbersOf(languages, names),
    entropy === null ? null : shortened(entropy),
    shortened(probability),
    explanation,
    topTokens,
  ];
}

/** The latent that {@linkcode storeSummary} stored. */
export function readSummary(stored: StoredSummary, names: LanguageNames): FeatureSummary {
  const [layer, index, languages, entropy, probability, explanation, topTokens] = stored;
  return {
    ...{ layer, index, languages: namesOf(languages, names), entropy, probability, explanation },
    topTokens,
  };
}

/** A latent's page, as it is stored. */
export function storeDetail(detail: FeatureDetail, names: LanguageNames): StoredDetail {
  const perLanguage = new Map(detail.perLanguage.map((row) => [row.language, row]));
  const { edges, counts } = detail.histogram;
  const fires = counts.filter(({ tokens }) => tokens.some((count) => count > 0));
  return {
    summary: storeSummary(detail, names),
    entropyInterval: detail.entropyInterval && shortenedPair(detail.entropyInterval),
    qValue: detail.qValue === null ? null : shortened(detail.qValue),
    max: detail.max,
    perLanguage: names.map((name) => {
      const row = perLanguage.get(name);
      if (!row) return [];
      return [row.probability, row.mean, row.max, ...row.interval ?? []].map(shortened);
    }),
    bins: Math.max(0, edges.length - 1),
    histogram: Object.fromEntries(
      fires.map(({ language, tokens }) => [names.indexOf(language), withoutLastZeros(tokens)]),
    ),
    outputTokens: detail.outputTokens.map(({ text, logit }) => [text, shortened(logit)] as const),
    nearest: detail.nearest.map((related) => storeRelated(related, names)),
    opposing: detail.opposing.map((related) => storeRelated(related, names)),
    scores: detail.scores,
  };
}

/** The page that {@linkcode storeDetail} stored. */
export function readDetail(stored: StoredDetail, names: LanguageNames): FeatureDetail {
  const { entropyInterval, qValue, max, bins, histogram, scores } = stored;
  return {
    ...readSummary(stored.summary, names),
    ...{ entropyInterval, qValue, max, scores },
    perLanguage: stored.perLanguage.flatMap(([probability, mean, max, low, high], number) => {
      if (probability === undefined) return [];
      const interval = low === undefined ? null : [low, high] as const;
      return [{ language: names[number], probability, interval, mean, max }];
    }),
    histogram: {
      edges: Array.from({ length: bins === 0 ? 0 : bins + 1 }, (_, i) => max * i / bins),
      counts: names.flatMap((language, number) => {
        const tokens = histogram[number];
        if (!tokens) return [];
        const rest = new Array<number>(bins - tokens.length).fill(0);
        return [{ language, tokens: [...tokens, ...rest] }];
      }),
    },
    outputTokens: stored.outputTokens.map(([text, logit]) => ({ text, logit })),
    nearest: stored.nearest.map((related) => readRelated(related, names)),
    opposing: stored.opposing.map((related) => readRelated(related, names)),
  };
}

/** A text with a latent's activations, from what is stored of it. */
export function readContext(
  language: string,
  [label, texts]: StoredText,
  activations: StoredActivations,
): Context {
  const values = new Array<number>(texts.length).fill(0);
  for (let at = 0; at < activations.length; at += 2) values[activations[at]] = activations[at + 1];
  return {
    ...{ language, label },
    pieces: texts.map((text, token) => ({ text, activation: values[token] })),
    max: values.reduce((most, value) => Math.max(most, value), 0),
  };
}

/** Where a latent fires in a text. */
export function storeActivations(pieces: Context["pieces"]): StoredActivations {
  return pieces.flatMap(({ activation }, token) =>
    activation > 0 ? [token, shortened(activation)] : []
  );
}

function storeRelated({ layer, index, cosine, languages }: Related, names: LanguageNames) {
  return [layer, index, shortened(cosine), numbersOf(languages, names)] as const;
}

function readRelated(
  [layer, index, cosine, languages]: StoredRelated,
  names: LanguageNames,
): Related {
  return { layer, index, cosine, languages: namesOf(languages, names) };
}

function withoutLastZeros(counts: readonly number[]): readonly number[] {
  return counts.slice(0, counts.findLastIndex((count) => count > 0) + 1);
}

function shortenedPair([low, high]: readonly [number, number]): readonly [number, number] {
  return [shortened(low), shortened(high)];
}

function numbersOf(languages: readonly string[], names: LanguageNames): number[] {
  return languages.map((language) => names.indexOf(language));
}

function namesOf(numbers: readonly number[], names: LanguageNames): string[] {
  return numbers.map((number) => names[number]);
}
