import type { Figure } from "./figure.ts";
import { figureOf } from "./kinds.ts";

/** A feature and the latent of its layer whose decoder row points against it most. */
export interface OpposedDirection {
  readonly language: string;
  readonly layer: number;
  readonly index: number;
  /** Of the two decoder rows. */
  readonly cosine: number;
  /** Tokens on which both fire. */
  readonly bothTokens: number;
}

/** Of the histogram. */
const STEP = 0.025;

/** How strongly features are opposed by a latent of their layer. */
export function opposingFigure(
  features: readonly OpposedDirection[],
  languages: readonly string[],
): Figure {
  const strong = features.filter(({ cosine }) => cosine < -0.5).length;
  const ends = [Math.min, Math.max].map((end) => end(...features.map(({ cosine }) => cosine)));
  const [first, last] = [Math.floor(ends[0] / STEP), Math.floor(ends[1] / STEP) + 1];
  const apart = features.filter(({ bothTokens }) => bothTokens === 0).length;
  return figureOf(
    "histogram",
    {
      id: "opposing-directions",
      group: "Directions",
      title: "The latent that points against a feature",
      see:
        `${strong} of ${features.length} features have a latent whose direction is opposed with a ` +
        `cosine below −0.5, and ${apart} never fire on a token together with theirs.`,
    },
    {
      value: "cosine",
      valueTitle: "lowest cosine with another decoder row of the layer",
      countTitle: "features",
      edges: Array.from(
        { length: last - first + 1 },
        (_, i) => Number(((first + i) * STEP).toFixed(3)),
      ),
      series: "language",
      seriesNames: languages,
    },
    features.map((feature) => ({
      language: feature.language,
      layer: feature.layer,
      index: feature.index,
      cosine: feature.cosine,
      both_tokens: feature.bothTokens,
    })),
  );
}
