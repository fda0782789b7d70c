/** How many features each language has in each layer, three ways. */
import type { Figure } from "./figure.ts";
import { figureOf } from "./kinds.ts";

/** A feature of a language, as figures of features need it. */
export interface PlacedFeature {
  /** Qualified name, e.g. `Bulgarian`. */
  readonly language: string;
  /** Absolute. */
  readonly layer: number;
}

/** What the features are of. */
export interface CountedScope {
  /** All languages, with or without features. */
  readonly languages: readonly string[];
  /** All layers that were looked at, ascending. */
  readonly layers: readonly number[];
  /** What is counted, and the beginning of anchors. */
  readonly unit: "feature" | "neuron";
}

/**
 * Features per language and layer (spec section 12, "feature counts"): a panel per language, stacks of
 * languages over the layers, and stacks of layers over the languages, which are in the order of their
 * totals.
 */
export function featureCountFigures(
  features: readonly PlacedFeature[],
  { languages, layers, unit }: CountedScope,
): Figure[] {
  const group = unit === "feature" ? "Features" : "Neurons";
  const counts = new Map<string, number>();
  for (const { language, layer } of features) {
    const key = `${layer} ${language}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const total = (language: string) =>
    layers.reduce((sum, layer) => sum + (counts.get(`${layer} ${language}`) ?? 0), 0);
  const ascending = languages.toSorted((a, b) => total(a) - total(b));
  const rows = ascending.toReversed().flatMap((language) =>
    layers.map((layer) => ({ language, layer, count: counts.get(`${layer} ${language}`) ?? 0 }))
  );
  const present = rows.filter(({ count }) => count > 0);
  const names = layers.map(String);
  const shared = { value: "count", valueTitle: `${unit}s`, lying: false } as const;
  const byLayer = { ...shared, category: "layer", categories: names, categoryTitle: "layer" };
  const most = ascending.at(-1) ?? "";
  return [
    figureOf(
      "bars",
      {
        id: `${unit}s-per-language-and-layer`,
        group,
        title: `${group} per layer, language by language`,
        see: `Where in the model each language has its ${unit}s; languages with most come first.`,
      },
      { ...byLayer, panel: "language", panels: ascending.toReversed(), labels: "count" },
      rows,
    ),
    figureOf(
      "bars",
      {
        id: `${unit}s-per-layer`,
        group,
        title: `${group} per layer`,
        see: `How many ${unit}s each layer has, and of which languages.`,
      },
      { ...byLayer, series: "language", seriesNames: languages, labels: "count" },
      present,
    ),
    figureOf(
      "bars",
      {
        id: `${unit}s-per-language`,
        group,
        title: `${group} per language`,
        see: `${most} has the most ${unit}s, ${total(most)} of ${features.length}, and ` +
          `${ascending[0] ?? ""} the fewest, ${total(ascending[0] ?? "")}; colours are layers.`,
      },
      {
        ...shared,
        lying: true,
        category: "language",
        categories: ascending,
        categoryTitle: "language",
        series: "layer",
        seriesNames: names,
        seriesColours: "ramp",
        labels: "count",
      },
      present,
    ),
  ];
}
