/** Explanations and scores as tables: a row per latent, a row per latent and scorer. */
import type { Cell, Columns } from "../../data/tables.ts";
import type { LatentName } from "../example.ts";
import type { Explained, FiringStatistics, Scored } from "./found.ts";

/** Separates languages in a cell. */
export const LANGUAGE_SEPARATOR = "; ";

/**
 * `explanations.parquet` and `.csv`.
 *
 * @param statisticsOf a latent; cells are empty where it gives none
 */
export function explanationColumns(
  explained: readonly Explained[],
  statisticsOf: (latent: LatentName) => FiringStatistics | undefined,
): Columns {
  const rows = explained.map((item) => ({ item, statistics: statisticsOf(item.latent) }));
  const column = (cell: (row: typeof rows[number]) => Cell) => rows.map(cell);
  return {
    group: column(({ item }) => item.group),
    ...latentColumns(explained),
    explanation: column(({ item }) => item.kind === "explained" ? item.text : null),
    problem: column(({ item }) => item.kind === "explained" ? item.problem ?? null : item.kind),
    active_windows: column(({ statistics }) => statistics?.activeWindows ?? null),
    windows: column(({ statistics }) => statistics?.windows ?? null),
    fired_tokens: column(({ statistics }) => statistics?.firedTokens ?? null),
    tokens: column(({ statistics }) => statistics?.tokens ?? null),
    max_activation: column(({ statistics }) => statistics?.max ?? null),
  };
}

/**
 * `scores.parquet` and `.csv`: every metric with the ends of its 95 % interval; a cell is empty where the
 * metric is not of the scorer, or not defined.
 */
export function scoreColumns(scored: readonly Scored[]): Columns {
  const column = (cell: (row: Scored) => Cell) => scored.map(cell);
  const metrics = [...new Set(scored.flatMap(({ score }) => Object.keys(score?.metrics ?? {})))];
  const estimates = metrics.flatMap((name) =>
    (["value", "low", "high"] as const).map((part) =>
      [
        part === "value" ? name : `${name}_${part}`,
        column(({ score }) => finite(score?.metrics[name]?.[part])),
      ] as const
    )
  );
  return {
    group: column(({ group }) => group),
    scorer: column(({ scorer }) => scorer),
    ...latentColumns(scored),
    main_metric: column(({ score }) => score?.main ?? null),
    predictions: column(({ score }) => score?.scored ?? null),
    failed: column(({ score }) => score?.failed ?? null),
    ...Object.fromEntries(estimates),
  };
}

function latentColumns(
  rows: readonly { readonly latent: LatentName & { readonly languages: readonly string[] } }[],
): Columns {
  return {
    hookpoint: rows.map(({ latent }) => latent.hookpoint),
    layer: rows.map(({ latent }) => latent.layer),
    latent: rows.map(({ latent }) => latent.index),
    languages: rows.map(({ latent }) => latent.languages.join(LANGUAGE_SEPARATOR)),
  };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
