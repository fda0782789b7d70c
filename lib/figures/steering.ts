/** What steering does, by its strength. */
import type { Figure } from "./figure.ts";
import { figureOf, slug } from "./kinds.ts";
import type { Interval } from "../stats/bootstrap.ts";

/** The effect of one strength on one language, in nats per token. */
export interface StrengthEffect {
  readonly language: string;
  readonly multiplier: number;
  readonly own: number;
  readonly others: number;
}

/** Texts written under one strength, and how many of them are in the language. */
export interface StrengthTexts {
  readonly language: string;
  /** 0: without steering. */
  readonly multiplier: number;
  /** Random features instead of the language's. */
  readonly control: boolean;
  readonly hits: number;
  readonly texts: number;
  /** Of the share hits / texts. */
  readonly interval?: Interval;
}

const OWN = "own language";
const OTHERS = "other languages";

/**
 * Perplexity against the strength of an intervention, a panel per language.
 *
 * @param name of the intervention, e.g. `sae-features_max`
 */
export function strengthFigure(
  effects: readonly StrengthEffect[],
  languages: readonly string[],
  name: string,
): Figure {
  const strengths = [...new Set(effects.map(({ multiplier }) => multiplier))];
  const known = languages.filter((name) => effects.some(({ language }) => language === name));
  const measured = effects.flatMap(({ language, multiplier, own, others }) => [
    { language, multiplier, texts: OWN, nats_per_token: own },
    { language, multiplier, texts: OTHERS, nats_per_token: others },
  ]);
  // without an intervention nothing changes
  const origin = strengths.includes(0)
    ? []
    : known.flatMap((language) =>
      [OWN, OTHERS].map((texts) => ({ language, multiplier: 0, texts, nats_per_token: 0 }))
    );
  return figureOf(
    "lines",
    {
      id: slug(`perplexity by strength ${name}`),
      group: "Perplexity",
      title: `Perplexity by strength: ${name}`,
      see:
        "Features that belong to a language pull its own line down, or up, away from that of the " +
        "others.",
    },
    {
      x: "multiplier",
      y: "nats_per_token",
      xTitle: "multiplier",
      yTitle: "nats per token",
      series: "texts",
      seriesNames: [OWN, OTHERS],
      panel: "language",
      panels: known,
      baseline: 0,
      dots: true,
    },
    [...measured, ...origin].sort((a, b) => a.multiplier - b.multiplier),
  );
}

const STEERED = "language's features";
const RANDOM = "random features";

/** Share of texts that are in the language they are steered to, by strength. */
export function steeredTextsFigure(
  texts: readonly StrengthTexts[],
  languages: readonly string[],
): Figure {
  const rows = texts.map(({ language, multiplier, control, hits, texts, interval }) => ({
    language,
    multiplier,
    features: control ? RANDOM : STEERED,
    share: hits / texts,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    hits,
    texts,
  })).sort((a, b) => a.multiplier - b.multiplier);
  const there = new Set(rows.map(({ language }) => language));
  return figureOf(
    "lines",
    {
      id: "steered-texts",
      group: "Steering",
      title: "Texts in the language that they are steered to",
      see:
        "The higher the line of a language's own features climbs over that of random ones, the " +
        "more its features decide what language the model writes.",
    },
    {
      x: "multiplier",
      y: "share",
      low: "low",
      high: "high",
      xTitle: "multiplier",
      yTitle: "share of texts",
      series: "features",
      seriesNames: [STEERED, RANDOM].filter((name) => rows.some((row) => row.features === name)),
      panel: "language",
      panels: languages.filter((name) => there.has(name)),
      yDomain: [0, 1],
      dots: true,
    },
    rows,
  );
}

/** What became of the texts of each strength: in the language, or not; of both kinds of features. */
export function outcomesFigure(
  texts: readonly StrengthTexts[],
  languages: readonly string[],
): Figure {
  const steered = texts.filter(({ multiplier, control }) => multiplier !== 0 && !control);
  const best = languages.flatMap((language) => {
    const own = steered.filter((text) => text.language === language);
    const most = own.toSorted((a, b) =>
      b.hits / b.texts - a.hits / a.texts || a.multiplier - b.multiplier
    );
    return most.slice(0, 1);
  });
  const rows = best.flatMap(({ language, multiplier, hits, texts }) => [
    { language, outcome: "in the language", texts: hits, multiplier },
    { language, outcome: "in another", texts: texts - hits, multiplier },
  ]);
  return figureOf(
    "bars",
    {
      id: "steering-outcomes",
      group: "Steering",
      title: "What steering achieved, at each language's best strength",
      see: "How many of the texts turned into the language at the strength at which most did.",
    },
    {
      category: "language",
      categories: best.toSorted((a, b) => a.hits / a.texts - b.hits / b.texts)
        .map(({ language }) => language),
      categoryTitle: "language",
      value: "texts",
      valueTitle: "texts",
      lying: true,
      series: "outcome",
      seriesNames: ["in the language", "in another"],
    },
    rows,
  );
}
