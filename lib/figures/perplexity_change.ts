/** What changing a language's features does to the perplexity of each language. */
import type { Figure } from "./figure.ts";
import { figureOf, slug } from "./kinds.ts";
import type { Interval } from "../stats/bootstrap.ts";

/** Perplexities of one language's texts while another's features are changed. */
export interface PerplexityChange {
  readonly intervened: string;
  readonly impacted: string;
  /** Mean over texts of the change of their perplexity, as published. */
  readonly meanChange: number;
  /** Corpus perplexity over what it is without intervention. */
  readonly corpusRatio: number;
}

/** A value with its interval, where there is one. */
export interface Estimate extends Partial<Interval> {
  readonly value: number;
}

/** What an intervention does: nats per token, on the language itself and on the others. */
export interface LanguageEffect {
  readonly language: string;
  readonly own: Estimate;
  readonly others: Estimate;
  /** The same of random features. */
  readonly controlOwn?: Estimate;
  readonly controlOthers?: Estimate;
}

/** Where colours of the published matrix end. */
const PUBLISHED_TOP = 1000;

/**
 * Two matrices: the change of the mean perplexity as published (0 to 1000, powers of ten beyond), and
 * the change of the mean log-perplexity, which no single text dominates (quirk 18).
 *
 * @param name of the intervention, e.g. `sae-features_max_-0.2`
 * @param languages in the order of rows and columns
 */
export function changeMatrixFigures(
  changes: readonly PerplexityChange[],
  name: string,
  languages: readonly string[],
): Figure[] {
  const rows = changes.map(({ intervened, impacted, meanChange, corpusRatio }) => ({
    intervened,
    impacted,
    mean_change: known(meanChange),
    nats_per_token: known(Math.log(corpusRatio)),
  }));
  const present = (column: "intervened" | "impacted") => {
    const there = new Set(rows.map((row) => row[column]));
    return languages.filter((language) => there.has(language));
  };
  const shape = {
    x: "impacted",
    y: "intervened",
    columns: present("impacted"),
    rows: present("intervened"),
    xTitle: "language of the texts",
    yTitle: "features of",
    framed: true,
  };
  const sizes = rows.map(({ nats_per_token }) => Math.abs(nats_per_token ?? 0));
  const least = Math.max(0.05, ...sizes);
  const extreme = Number(Math.min(least, 2).toPrecision(2));
  const words = { group: "Perplexity" };
  return [
    figureOf(
      "matrix",
      {
        ...words,
        id: `perplexity-change-${slug(name)}`,
        title: `Change of perplexity: ${name}`,
        see:
          "The stronger the colour, the harder to predict texts of the language above become when the " +
          "features of the language on the left are changed; frames are languages themselves.",
      },
      {
        ...shape,
        value: "mean_change",
        valueTitle: "change of the mean perplexity",
        domain: [0, PUBLISHED_TOP],
        scale: "sequential",
        labels: "change",
      },
      rows,
    ),
    figureOf(
      "matrix",
      {
        ...words,
        id: `log-perplexity-change-${slug(name)}`,
        title: `Change of log-perplexity: ${name}`,
        see: "The same in nats per token, where a few texts cannot dominate: orange is harder to " +
          "predict, blue easier.",
      },
      {
        ...shape,
        value: "nats_per_token",
        valueTitle: "nats per token",
        domain: [-extreme, extreme],
        scale: "diverging",
        labels: "fixed2",
      },
      rows,
    ),
  ];
}

/** null for perplexities that are no number, or beyond all. */
function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** What an intervention does to the language itself and to the others, beside random features. */
export function effectsFigure(effects: readonly LanguageEffect[], name: string): Figure {
  const kinds = [
    ["own language", (effect: LanguageEffect) => effect.own],
    ["other languages", (effect: LanguageEffect) => effect.others],
    ["own, random features", (effect: LanguageEffect) => effect.controlOwn],
    ["others, random features", (effect: LanguageEffect) => effect.controlOthers],
  ] as const;
  const rows = effects.flatMap((effect) =>
    kinds.flatMap(([texts, of]) => {
      const estimate = of(effect);
      if (!estimate) return [];
      const { value, low = null, high = null } = estimate;
      return [{ language: effect.language, texts, nats_per_token: value, low, high }];
    })
  );
  const there = new Set(rows.map(({ texts }) => texts));
  return figureOf(
    "dots",
    {
      id: `perplexity-effects-${slug(name)}`,
      group: "Perplexity",
      title: `Own language and others: ${name}`,
      see:
        "Where the dot of a language's own texts lies to the right of all others, its features " +
        "matter to it and to little else.",
    },
    {
      category: "language",
      categories: effects.map(({ language }) => language),
      value: "nats_per_token",
      low: "low",
      high: "high",
      valueTitle: "change in nats per token (95 % intervals)",
      series: "texts",
      seriesNames: kinds.map(([texts]) => texts).filter((texts) => there.has(texts)),
      baseline: 0,
    },
    rows,
  );
}
