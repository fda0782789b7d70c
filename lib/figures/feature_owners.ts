import type { Figure } from "./figure.ts";
import { figureOf } from "./kinds.ts";

/**
 * To how many languages features belong.
 *
 * @param histogram `[s - 1]`: features that belong to `s` languages
 * @param kept numbers of languages whose features count as identified, e.g. 1
 */
export function ownersFigure(
  histogram: readonly number[],
  kept: ReadonlySet<number> = new Set([1]),
): Figure {
  const names = histogram.map((_, at) => String(at + 1));
  const series = { kept: "kept as features", left: "not kept" };
  const all = histogram.reduce((sum, count) => sum + count, 0);
  const own = histogram[0] ?? 0;
  return figureOf(
    "bars",
    {
      id: "owners",
      group: "Features",
      title: "To how many languages candidates belong",
      see: `${own} of ${all} candidates belong to a single language; those on the right fire in ` +
        `nearly all alike.`,
    },
    {
      category: "languages",
      categories: names,
      categoryTitle: "languages",
      value: "candidates",
      valueTitle: "candidates",
      lying: false,
      series: "kind",
      seriesNames: [series.kept, series.left],
      labels: "count",
    },
    histogram.map((candidates, at) => ({
      languages: String(at + 1),
      candidates,
      kind: kept.has(at + 1) ? series.kept : series.left,
    })),
  );
}
