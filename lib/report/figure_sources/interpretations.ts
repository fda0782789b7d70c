/** Figures of what `interpret` made of features. */
import { join } from "node:path";
import type { Figure } from "../../figures/figure.ts";
import { controlledScoresFigure, correlationFigures } from "../../figures/score_correlations.ts";
import type { FoundFeatures } from "./features.ts";
import { foldersWith, rowsOf, type TableRow } from "./result_folder.ts";

const SCORES = "scores.parquet";
const EXPLANATIONS = "explanations.parquet";
/** Group of the features that are explained for their own sake; others are controls. */
const IDENTIFIED = "identified";
const METRICS = ["accuracy", "f1_score", "precision", "recall"] as const;

/**
 * Explanations of identified features by `<layer>/<index>`.
 *
 * @throws InputError for files that are damaged
 */
export async function explanationsIn(folder: string): Promise<Map<string, string>> {
  const rows = (await tables(folder, EXPLANATIONS)).flatMap(({ rows }) => rows);
  const own = rows.filter(({ group, explanation }) =>
    group === IDENTIFIED && typeof explanation === "string"
  );
  return new Map(own.map((row) => [placeOf(row), String(row.explanation)]));
}

/**
 * Entropy against each metric of the scores, and scores beside those of controls; of several runs, each
 * for itself.
 *
 * @throws InputError for files that are damaged
 */
export async function interpretationFigures(
  folder: string,
  { features, languages }: FoundFeatures,
): Promise<Figure[]> {
  const runs = await tables(folder, SCORES);
  const rows = runs.flatMap(({ path, rows }) =>
    rows.map((row): TableRow & { readonly scorer: string } => ({
      ...row,
      scorer: runs.length === 1 ? String(row.scorer) : `${row.scorer} (${path || "."})`,
    }))
  );
  const byPlace = Map.groupBy(features, ({ layer, index }) => `${layer}/${index}`);
  const scores = rows.filter(({ group }) => group === IDENTIFIED).flatMap((row) =>
    (byPlace.get(placeOf(row)) ?? []).map(({ language, layer, index, entropy }) => ({
      ...{ language, layer, index, entropy },
      scorer: row.scorer,
      metrics: Object.fromEntries(METRICS.map((metric) => [metric, numberOf(row[metric])])),
    }))
  );
  const controlled = rows.flatMap((row) => {
    const score = numberOf(row.accuracy);
    return score === null ? [] : [{ scorer: row.scorer, group: String(row.group), score }];
  });
  return [
    ...correlationFigures(scores, languages),
    ...controlled.length > 0 ? [controlledScoresFigure(controlled, "accuracy")] : [],
  ];
}

/** A table of each run of interpret in a folder. */
async function tables(folder: string, name: string) {
  const paths = await foldersWith(folder, name);
  return await Promise.all(
    paths.map(async (path) => ({ path, rows: await rowsOf(join(folder, path, name)) })),
  );
}

function placeOf({ layer, latent }: TableRow): string {
  return `${layer}/${latent}`;
}

function numberOf(cell: TableRow[string] | undefined): number | null {
  return typeof cell === "number" && Number.isFinite(cell) ? cell : null;
}
