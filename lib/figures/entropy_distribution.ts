/** How specific features are. */
import type { Figure } from "./figure.ts";
import { figureOf } from "./kinds.ts";
import { quantile } from "../stats/bootstrap.ts";

/** A feature of a language with its entropy over languages, in nats. */
export interface FeatureEntropy {
  readonly language: string;
  readonly layer: number;
  readonly index: number;
  readonly entropy: number;
}

/** Most steps of the histogram, as published. */
const STEPS = 30;

/**
 * The histogram of entropies, stacked by language, a feature of several languages under each of them.
 *
 * @param languages all that entropies are over
 * @param times how often each is counted: twice as published (quirk 23)
 */
export function entropyFigure(
  features: readonly FeatureEntropy[],
  languages: readonly string[],
  times: 1 | 2 = 1,
): Figure {
  const top = Math.log(languages.length) || 1;
  const step = stepOf(top);
  const edges = Array.from(
    { length: Math.ceil(top / step - 1e-9) + 1 },
    (_, i) => rounded(i * step),
  );
  const rows = features.flatMap(({ language, layer, index, entropy }) =>
    new Array(times).fill({ language, layer, index, entropy })
  );
  const sorted = features.map(({ entropy }) => entropy).sort((a, b) => a - b);
  const middle = quantile(sorted, 0.5);
  return figureOf(
    "histogram",
    {
      id: "entropy-distribution",
      group: "Features",
      title: "Entropy of the features",
      see: features.length === 0
        ? "No language has a feature of its own."
        : `The further left, the more a feature belongs to one language alone: half of them are ` +
          `below ${middle.toFixed(2)}, that is, fire as if in ${Math.exp(middle).toFixed(1)} of ` +
          `${languages.length} languages.`,
    },
    {
      value: "entropy",
      valueTitle: "entropy (nats)",
      countTitle: "features",
      edges,
      series: "language",
      seriesNames: languages,
    },
    rows,
  );
}

/** The smallest round step of which at most STEPS reach the top. */
function stepOf(top: number): number {
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((step) => top / step <= STEPS) ?? 1;
}

function rounded(edge: number): number {
  return Number(edge.toFixed(6));
}
