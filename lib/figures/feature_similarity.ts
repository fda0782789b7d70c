/** Which features of a language fire together, and how alike their activations are. */
import type { Figure } from "./figure.ts";
import { figureOf, slug } from "./kinds.ts";

/** A feature by its place. */
export interface FeaturePlace {
  readonly layer: number;
  readonly index: number;
}

/** Two features of a language, each pair once. */
export interface FeaturePair {
  readonly a: FeaturePlace;
  readonly b: FeaturePlace;
  /** Positions on which both fire over those on which either does. */
  readonly iou: number;
  /** Of the activations where both fire; null where it is not defined. */
  readonly pearson: number | null;
}

/** The two matrices of a language, its features in the order of (layer, index). */
export function similarityFigures(language: string, pairs: readonly FeaturePair[]): Figure[] {
  const places = new Map(pairs.flatMap(({ a, b }) => [[nameOf(a), a], [nameOf(b), b]]));
  const features = [...places].sort(([, a], [, b]) => a.layer - b.layer || a.index - b.index);
  const names = features.map(([name]) => name);
  const parted = features.filter(([, { layer }], i) => features[i + 1]?.[1].layer !== layer)
    .map(([name]) => name).slice(0, -1);
  const own = names.map((name) => ({ a: name, b: name, iou: 1, pearson: 1 }));
  const rows = pairs.map(({ a, b, iou, pearson }) => ({
    a: nameOf(a),
    b: nameOf(b),
    iou: rounded(iou),
    pearson: pearson === null ? null : rounded(pearson),
  })).concat(own);
  const shape = {
    x: "a",
    y: "b",
    columns: names,
    rows: names,
    xTitle: "",
    yTitle: "",
    symmetric: true,
    parted,
  };
  const closest = pairs.reduce((best, { iou }) => Math.max(best, iou), 0);
  const group = "Similarity";
  return [
    figureOf(
      "matrix",
      {
        id: `iou-${slug(language)}`,
        group,
        title: `Features of ${language} that fire together`,
        see:
          `Strong colours off the diagonal: two features that fire on the same tokens, at most on ` +
          `${Math.round(100 * closest)} % of those on which either does; lines part the layers.`,
      },
      { ...shape, value: "iou", valueTitle: "IoU", domain: [0, 1], scale: "sequential" },
      rows.map(({ a, b, iou }) => ({ a, b, iou })),
    ),
    figureOf(
      "matrix",
      {
        id: `pearson-${slug(language)}`,
        group,
        title: `Features of ${language} that rise and fall together`,
        see: "Orange: where both fire, the activations of two features grow together; blue: one " +
          "falls as the other grows; without colour: they share too few tokens.",
      },
      {
        ...shape,
        value: "pearson",
        valueTitle: "Pearson’s r",
        domain: [-1, 1],
        scale: "diverging",
      },
      rows.filter(({ pearson }) => pearson !== null).map(({ a, b, pearson }) => ({
        a,
        b,
        pearson,
      })),
    ),
  ];
}

/** As published: `L3 (17)`. */
function nameOf({ layer, index }: FeaturePlace): string {
  return `L${layer} (${index})`;
}

/** Colours and readers tell apart no more, and the page is half as long. */
function rounded(value: number): number {
  return Number(value.toFixed(3));
}
