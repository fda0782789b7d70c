/** Do features that are more specific get better explanations? */
import type { Figure } from "./figure.ts";
import { figureOf, slug, type Trend } from "./kinds.ts";
import { clusterBootstrap, type Interval, quantile } from "../stats/bootstrap.ts";
import { pearson } from "../stats/correlation.ts";

/** How well an explanation of a feature did in one kind of test. */
export interface FeatureScore {
  readonly language: string;
  readonly layer: number;
  readonly index: number;
  /** In nats. */
  readonly entropy: number;
  /** E.g. `detection`, `fuzz`. */
  readonly scorer: string;
  /** By metric; null where it is not defined. */
  readonly metrics: Readonly<Record<string, number | null>>;
}

/** Metrics that there are figures of, as published, and what they are called. */
const METRICS = {
  accuracy: "accuracy",
  f1_score: "F1",
  precision: "precision",
  recall: "recall",
} as const;

/** A straight line through points, and how close to it they are. */
export interface LinearTrend {
  readonly slope: number;
  readonly intercept: number;
  /** Pearson's coefficient. */
  readonly r: number;
  /** 95 %, of r: percentile bootstrap over the points. */
  readonly interval: Interval;
}

/**
 * The line of least squares: slope r sd(y) / sd(x) (spec section 12); NaN for fewer than two points, or
 * where one side does not vary.
 */
export function linearTrend(x: readonly number[], y: readonly number[]): LinearTrend {
  const r = pearson(x, y);
  const slope = r * deviation(y) / deviation(x);
  const intercept = mean(y) - slope * mean(x);
  const [interval] = x.length < 3 ? [{ low: NaN, high: NaN }] : clusterBootstrap(
    x.length,
    (weights) => {
      const drawn = x.flatMap((_, i) => new Array<number>(weights[i]).fill(i));
      return [pearson(drawn.map((i) => x[i]), drawn.map((i) => y[i]))];
    },
  );
  return { slope, intercept, r, interval };
}

/** A score of a group of latents: those identified, or a control. */
export interface GroupScore {
  readonly scorer: string;
  /** E.g. `identified`, `random`. */
  readonly group: string;
  /** From 0 to 1. */
  readonly score: number;
}

/**
 * Scores of identified features beside those of controls, as box plots.
 *
 * @param metric what the scores are, e.g. `accuracy`
 */
export function controlledScoresFigure(scores: readonly GroupScore[], metric: string): Figure {
  const kinds = Map.groupBy(scores, ({ scorer, group }) => `${scorer}, ${group}`);
  const rows = [...kinds].map(([kind, own]) => {
    const sorted = own.map(({ score }) => score).sort((a, b) => a - b);
    const [low, q1, median, q3, high] = [0, 0.25, 0.5, 0.75, 1].map((at) => quantile(sorted, at));
    const [{ scorer, group }] = own;
    return { kind, scorer, group, latents: own.length, low, q1, median, q3, high };
  });
  return figureOf(
    "boxes",
    {
      id: "scores-and-controls",
      group: "Explanations",
      title: `Scores of explanations and of controls (${metric})`,
      see:
        "Explanations say something where boxes of identified features lie to the right of those of " +
        "explanations that were swapped; features are special where they lie to the right of random ones.",
    },
    { category: "kind", categories: rows.map(({ kind }) => kind), valueTitle: metric },
    rows,
  );
}

/** A scatter per metric, a panel per kind of test, the trend drawn through each. */
export function correlationFigures(
  scores: readonly FeatureScore[],
  languages: readonly string[],
): Figure[] {
  const scorers = [...new Set(scores.map(({ scorer }) => scorer))];
  return Object.entries(METRICS).flatMap(([metric, title]) => {
    const rows = scores.flatMap(({ language, layer, index, entropy, scorer, metrics }) => {
      const score = metrics[metric];
      return typeof score === "number" && Number.isFinite(score)
        ? [{ language, layer, index, scorer, entropy, score }]
        : [];
    });
    if (rows.length === 0) return [];
    const trends = scorers.flatMap((scorer): Trend[] => {
      const same = rows.filter((row) => row.scorer === scorer);
      const trend = linearTrend(
        same.map(({ entropy }) => entropy),
        same.map(({ score }) => score),
      );
      return Number.isNaN(trend.r) ? [] : [{ panel: scorer, ...trend, text: trendText(trend) }];
    });
    const said = trends.map(({ panel, text }) => `${panel} ${text}`).join("; ");
    return [figureOf(
      "scatter",
      {
        id: `entropy-and-${slug(title)}`,
        group: "Explanations",
        title: `Entropy and ${title} of explanations`,
        see: said === ""
          ? "Too few features were scored for a trend."
          : `A line that falls says that features of one language are explained better: ${said}.`,
      },
      {
        x: "entropy",
        y: "score",
        xTitle: "entropy (nats)",
        yTitle: title,
        series: "language",
        seriesNames: languages,
        panel: "scorer",
        panels: scorers,
        trends,
        yDomain: [0, 1],
      },
      rows,
    )];
  });
}

function trendText({ slope, r, interval: { low, high } }: LinearTrend): string {
  const within = Number.isNaN(low) ? "" : ` [${low.toFixed(2)}, ${high.toFixed(2)}]`;
  return `r = ${r.toFixed(3)}${within}, slope ${slope.toFixed(3)}`.replaceAll("-", "−");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}
