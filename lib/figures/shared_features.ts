/** Features that several languages share. */
import type { Figure } from "./figure.ts";
import { figureOf } from "./kinds.ts";

/** A feature as one of the languages that own it has it. */
export interface SharedFeature {
  readonly language: string;
  readonly layer: number;
  readonly index: number;
  /** Number of languages that own it. */
  readonly shares: number;
}

const GROUP = "Shared features";

/**
 * How many features every two languages have in common (the diagonal: how many a language shares with
 * any other), the same as Jaccard's index, and in which layers they lie by their number of languages:
 * all, and the lower and the higher half.
 */
export function sharedFeatureFigures(
  features: readonly SharedFeature[],
  languages: readonly string[],
  layers: readonly number[],
): Figure[] {
  const owned = new Map(languages.map((language) => [
    language,
    new Set(features.filter((feature) => feature.language === language).map(placeOf)),
  ]));
  const pairs = languages.flatMap((a, i) =>
    languages.slice(i).map((b) => {
      const [ofA, ofB] = [owned.get(a)!, owned.get(b)!];
      const common = a === b ? ofA.size : ofA.intersection(ofB).size;
      const either = ofA.size + ofB.size - common;
      return { a, b, common, jaccard: a === b ? 1 : either === 0 ? 0 : common / either };
    })
  );
  const apart = pairs.filter(({ a, b }) => a !== b).sort((x, y) => y.jaccard - x.jaccard);
  const shape = {
    x: "a",
    y: "b",
    columns: languages,
    rows: languages,
    xTitle: "",
    yTitle: "",
    symmetric: true,
  };
  const closest = apart.at(0);
  return [
    figureOf(
      "matrix",
      {
        id: "shared-intersections",
        group: GROUP,
        title: "Features that two languages have in common",
        see:
          "Languages that are written or spoken alike share more; the diagonal is how many features " +
          "a language shares with any other.",
      },
      {
        ...shape,
        value: "common",
        valueTitle: "features",
        domain: [0, Math.max(1, ...pairs.map(({ common }) => common))],
        scale: "sequential",
        labels: "count",
      },
      pairs.map(({ a, b, common }) => ({ a, b, common })),
    ),
    figureOf(
      "matrix",
      {
        id: "shared-jaccard",
        group: GROUP,
        title: "How much of their features two languages share",
        see: closest
          ? `${closest.a} and ${closest.b} share most, ${
            Math.round(100 * closest.jaccard)
          } % of the ` +
            `shared features that either has.`
          : "There is one language only.",
      },
      {
        ...shape,
        value: "jaccard",
        valueTitle: "Jaccard’s index",
        domain: [0, Math.max(0.1, ...apart.map(({ jaccard }) => jaccard))],
        scale: "sequential",
        labels: "fixed2",
      },
      pairs.map(({ a, b, jaccard }) => ({ a, b, jaccard })),
    ),
    ...distributions(features, layers),
  ];
}

function distributions(features: readonly SharedFeature[], layers: readonly number[]): Figure[] {
  const distinct = [...new Map(features.map((feature) => [placeOf(feature), feature])).values()];
  const shares = [...new Set(distinct.map(({ shares }) => shares))].sort((a, b) => a - b);
  const middle = (shares[0] + (shares.at(-1) ?? 0)) / 2;
  const halves = [
    ["", "Shared features per layer", () => true],
    ["-low", "Features of few languages per layer", (count: number) => count <= middle],
    ["-high", "Features of many languages per layer", (count: number) => count > middle],
  ] as const;
  return halves.flatMap(([ending, title, belongs]) => {
    const numbers = shares.filter(belongs);
    if (numbers.length === 0 || (ending !== "" && numbers.length === shares.length)) return [];
    const rows = layers.flatMap((layer) =>
      numbers.map((languages) => ({
        layer,
        languages,
        features: distinct.filter((feature) =>
          feature.layer === layer && feature.shares === languages
        )
          .length,
      }))
    ).filter(({ features }) => features > 0);
    return [figureOf(
      "bars",
      {
        id: `shared-per-layer${ending}`,
        group: GROUP,
        title,
        see:
          "The deeper the colour, the more languages share the features; see in which layers they " +
          "pile up.",
      },
      {
        category: "layer",
        categories: layers.map(String),
        categoryTitle: "layer",
        value: "features",
        valueTitle: "features",
        lying: false,
        series: "languages",
        seriesNames: numbers.map(String),
        seriesColours: "ramp",
        labels: "count",
      },
      rows,
    )];
  });
}

function placeOf({ layer, index }: SharedFeature): string {
  return `${layer} ${index}`;
}
