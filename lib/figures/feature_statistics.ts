/** What features are like beside their entropy: the published project's exploratory drawings. */
import type { Figure } from "./figure.ts";
import { figureOf } from "./kinds.ts";

/** What a feature does on the texts of its language. */
export interface FeatureActivity {
  readonly language: string;
  readonly layer: number;
  readonly index: number;
  /** Tokens it fires on. */
  readonly firedTokens: number;
  /** Mean of its activations there. */
  readonly average: number;
  /** The largest. */
  readonly max: number;
  /** Share of tokens. */
  readonly probability: number;
  readonly entropy: number;
}

/** How often the latents of a layer fire on a language's texts: those that ever do. */
export interface LatentCounts {
  readonly language: string;
  readonly layer: number;
  readonly low: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly high: number;
  /** Latents that fire at most 1,000 times, at most 10,000 times, and more often. */
  readonly rare: number;
  readonly frequent: number;
  readonly constant: number;
}

/** How often features fire against how strongly, and against their entropy. */
export function activityFigures(
  features: readonly FeatureActivity[],
  languages: readonly string[],
): Figure[] {
  const rows = features.filter(({ firedTokens }) => firedTokens > 0).map((feature) => ({
    language: feature.language,
    layer: feature.layer,
    index: feature.index,
    fired_tokens: feature.firedTokens,
    average: feature.average,
    max: feature.max,
    probability: feature.probability,
    entropy: feature.entropy,
  }));
  const series = { series: "language", seriesNames: languages };
  const group = "Activity";
  return [
    figureOf(
      "scatter",
      {
        id: "how-often-how-strongly",
        group,
        title: "How often and how strongly features fire",
        see: "Features at the top right fire on much of their language, and strongly.",
      },
      {
        ...series,
        x: "fired_tokens",
        y: "average",
        xTitle: "tokens of its language on which it fires",
        yTitle: "mean activation",
        logarithmic: true,
      },
      rows,
    ),
    figureOf(
      "scatter",
      {
        id: "how-often-how-specific",
        group,
        title: "How often features fire and how specific they are",
        see:
          "Features at the bottom right are the useful ones: they fire on many tokens of their " +
          "language and on few of others.",
      },
      {
        ...series,
        x: "probability",
        y: "entropy",
        xTitle: "share of its language’s tokens on which it fires",
        yTitle: "entropy (nats)",
      },
      rows,
    ),
  ];
}

/** Box plots of how often latents fire, a figure per layer. */
export function latentCountFigures(
  counts: readonly LatentCounts[],
  languages: readonly string[],
): Figure[] {
  return [...Map.groupBy(counts, ({ layer }) => layer)].sort(([a], [b]) => a - b)
    .map(([layer, rows]) =>
      figureOf(
        "boxes",
        {
          id: `latent-counts-${layer}`,
          group: "Activity",
          title: `How often the latents of layer ${layer} fire`,
          see:
            "Half of the latents that ever fire in a language lie in its box, the line is their " +
            "median, and whiskers reach from the rarest to the most frequent.",
        },
        {
          category: "language",
          categories: languages,
          valueTitle: "tokens on which a latent fires",
          logarithmic: true,
        },
        rows.map((row) => ({ ...row })),
      )
    );
}
