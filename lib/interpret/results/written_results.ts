/** The results of the step as files, beside those of each latent. */
import { join } from "node:path";
import { writeAtomic } from "../../data/files.ts";
import { writeManifest } from "../../data/manifest.ts";
import { writeTable } from "../../data/tables.ts";
import { averageScores } from "../metrics/language_scores.ts";
import type { LatentName } from "../example.ts";
import { type Failures, listed } from "./failures.ts";
import { explanationColumns, scoreColumns } from "./result_tables.ts";
import { groupedScores, summarise, type Summary } from "./summary.ts";
import type { Explained, FiringStatistics, Scored, SelectedLatents } from "./found.ts";

/** What was found, whole or as far as a budget went. */
export interface Findings {
  readonly selected: Omit<SelectedLatents, "statisticsOf"> & {
    /** Undefined where nobody has looked how often the latent fires. */
    statisticsOf(latent: LatentName): FiringStatistics | undefined;
  };
  readonly explained: readonly Explained[];
  /** Of all groups and scorers. */
  readonly scored: readonly Scored[];
}

/** Files of all latents together, in the folder of the results. */
export const RESULT_FILES = {
  /** `.parquet` and `.csv`. */
  explanations: "explanations",
  /** `.parquet` and `.csv`. */
  scores: "scores",
  averages: join("scores", "average_scores.csv"),
  summary: "summary.json",
  failures: "failures.json",
} as const;

/**
 * Writes tables, averages, the summary and the list of what failed.
 *
 * @throws InputError when a file cannot be written
 */
export async function writeFindings(
  folder: string,
  { selected, explained, scored }: Findings,
): Promise<{ readonly summary: Summary; readonly failures: Failures }> {
  const firedTokens = (latent: LatentName) => selected.statisticsOf(latent)?.firedTokens ?? NaN;
  const summary = summarise(scored, firedTokens);
  const failures = failuresOf({ selected, explained, scored });
  const identified = scored.filter(({ group }) => group === "identified");
  const byScorer = Map.groupBy(identified, ({ scorer }) => scorer);
  const averaged = averageScores(Object.fromEntries(
    [...byScorer].map(([scorer, scored]) => [scorer, groupedScores(scored, firedTokens)]),
  ));
  const path = (name: string) => join(folder, name);
  await writeTable(
    path(RESULT_FILES.explanations),
    explanationColumns(explained, selected.statisticsOf),
  );
  await writeTable(path(RESULT_FILES.scores), scoreColumns(scored));
  await writeAtomic(path(RESULT_FILES.averages), averagesCsv(averaged));
  await writeManifest(path(RESULT_FILES.summary), summary);
  await writeManifest(path(RESULT_FILES.failures), failures);
  return { summary, failures };
}

/** Everything that is missing, and why. */
function failuresOf({ selected, explained, scored }: Findings): Failures {
  return {
    silent: selected.silent,
    skipped: selected.skipped,
    unexplained: explained.flatMap((item) =>
      item.kind === "unanswered"
        ? [{ ...listed(item.latent), group: item.group, reason: item.reason }]
        : []
    ),
    marked: explained.flatMap((item) =>
      item.kind === "explained" && item.problem
        ? [{ ...listed(item.latent), group: item.group, problem: item.problem }]
        : []
    ),
    unscored: scored.filter(({ failures }) => failures.length > 0)
      .map(({ latent, group, scorer, failures }) => ({
        ...listed(latent),
        ...{ group, scorer, questions: failures.length, reasons: [...new Set(failures)] },
      })),
    unasked: [
      ...explained.filter(({ kind }) => kind === "unasked")
        .map(({ latent, group }) => ({ ...listed(latent), group, stage: "explanation" })),
      ...scored.filter(({ score, failures }) => !score && failures.length === 0)
        .map(({ latent, group, scorer }) => ({ ...listed(latent), group, stage: scorer })),
    ],
  };
}

/** A table as the published program writes it: numbers always have a point. */
function averagesCsv(columns: Readonly<Record<string, readonly (string | number)[]>>): string {
  const names = Object.keys(columns);
  const rows = columns[names[0]].map((_, row) => names.map((name) => cell(columns[name][row])));
  return [names, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

function cell(value: string | number): string {
  if (typeof value === "string") {
    return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  }
  if (Number.isNaN(value)) return "";
  return Number.isInteger(value) ? `${value}.0` : `${value}`;
}
