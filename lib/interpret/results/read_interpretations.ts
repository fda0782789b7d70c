/** What `interpret` found, read back for reports and the explorer. */
import { join } from "node:path";
import { z } from "zod";
import { isFile } from "../../data/file_tree.ts";
import { readJson } from "../../data/files.ts";
import { readTable } from "../../data/tables.ts";
import { InputError } from "../../formats/input_error.ts";
import type { LatentName } from "../example.ts";
import type { Estimate } from "../metrics/latent_score.ts";
import type { Group } from "./result_files.ts";
import { LANGUAGE_SEPARATOR } from "./result_tables.ts";
import type { Summary } from "./summary.ts";
import { RESULT_FILES } from "./written_results.ts";

/** A latent with its explanation and what that is worth. */
export interface Interpretation extends LatentName {
  /** "identified", or "random" of a control. */
  readonly group: Group;
  /** Languages that it was identified for; none of a control. */
  readonly languages: readonly string[];
  /** null where nobody answered. */
  readonly explanation: string | null;
  /** What is wrong with the explanation, or why there is none; null where all is well. */
  readonly problem: string | null;
  /** Windows in which it fires, of all; null where nobody has looked. */
  readonly activeWindows: number | null;
  readonly windows: number | null;
  /** Of its own explanation. */
  readonly scores: readonly InterpretationScore[];
  /** Of another latent's explanation, as a control; empty where there are none. */
  readonly shuffledScores: readonly InterpretationScore[];
}

/** A latent's score by one scorer. */
export interface InterpretationScore {
  readonly scorer: string;
  /** The metric that the scorer is judged by. */
  readonly main: string;
  /** Predictions, and those that are missing. */
  readonly predictions: number;
  readonly failed: number;
  /** By name, such as accuracy, f1_score, precision, recall; NaN where not defined. */
  readonly metrics: Readonly<Record<string, Estimate>>;
}

/** All that a run left. */
export interface Interpretations {
  /** Identified latents in the order of hookpoints and indices. */
  readonly latents: readonly Interpretation[];
  /** Latents drawn at random, to compare with. */
  readonly random: readonly Interpretation[];
  readonly summary: Summary;
  /** The language model that explained them, if run.json tells. */
  readonly explainerModel: string | undefined;
  /** False where a budget was spent before all was done. */
  readonly complete: boolean;
}

const number = z.number().nullable().transform((value) => value ?? NaN);
const EstimateIn = z.object({ value: number, low: number, high: number });
const Metrics = z.record(z.string(), EstimateIn);
const Control = z.object({ latents: z.number(), control: EstimateIn, difference: EstimateIn });
const SummaryIn = z.object({
  scorers: z.array(z.object({
    scorer: z.string(),
    main: z.string(),
    latents: z.number(),
    predictions: z.number(),
    failed: z.number(),
    metrics: Metrics,
    pooled: Metrics.nullable(),
    frequency_weighted_f1: z.number().nullable(),
    controls: z.object({ random: Control, shuffled: Control }).partial(),
    languages: z.array(z.object({
      language: z.string(),
      latents: z.number(),
      failed: z.number(),
      metrics: Metrics,
    })),
  })),
});
const RunIn = z.object({
  options: z.object({ explainerModel: z.string().optional() }).optional(),
  complete: z.boolean().optional(),
});

/**
 * Reads the results in a folder, `results/interpret` by default.
 *
 * @returns undefined where there are none
 * @throws InputError when they are damaged
 */
export async function readInterpretations(folder: string): Promise<Interpretations | undefined> {
  const [explanations, scores, summary] = [
    `${RESULT_FILES.explanations}.parquet`,
    `${RESULT_FILES.scores}.parquet`,
    RESULT_FILES.summary,
  ].map((name) => join(folder, name));
  for (const path of [explanations, scores, summary]) if (!await isFile(path)) return undefined;
  const read = SummaryIn.safeParse(await readJson(summary));
  if (!read.success) throw damaged(summary);
  const scored = scoresIn(await rowsOf(scores), scores);
  const latents = (await rowsOf(explanations)).map((row) =>
    interpretation(row, scored, explanations)
  );
  const run = join(folder, "run.json");
  const { data } = RunIn.safeParse(await isFile(run) ? await readJson(run) : {});
  return {
    latents: latents.filter(({ group }) => group === "identified"),
    random: latents.filter(({ group }) => group === "random"),
    summary: read.data,
    explainerModel: data?.options?.explainerModel,
    complete: data?.complete ?? true,
  };
}

/** A row of a table: texts and numbers by column. */
type Row = Readonly<Record<string, string | number | null>>;

async function rowsOf(path: string): Promise<Row[]> {
  const columns = Object.entries(await readTable(path));
  const rows = columns[0]?.[1].length ?? 0;
  return Array.from(
    { length: rows },
    (_, row) => Object.fromEntries(columns.map(([name, cells]) => [name, cellIn(cells[row])])),
  );
}

function cellIn(cell: unknown): string | number | null {
  if (typeof cell === "bigint") return Number(cell);
  return typeof cell === "string" || typeof cell === "number" ? cell : null;
}

const LatentRow = z.object({
  group: z.enum(["identified", "random", "shuffled"]),
  hookpoint: z.string(),
  layer: z.number(),
  latent: z.number(),
  languages: z.string().nullable(),
});
const ExplanationRow = LatentRow.extend({
  explanation: z.string().nullable(),
  problem: z.string().nullable(),
  active_windows: z.number().nullable(),
  windows: z.number().nullable(),
});
const ScoreRow = LatentRow.extend({
  scorer: z.string(),
  main_metric: z.string().nullable(),
  predictions: z.number().nullable(),
  failed: z.number().nullable(),
});

/** Scores by group, hookpoint and latent. */
function scoresIn(rows: readonly Row[], where: string): Map<string, InterpretationScore[]> {
  const scores = new Map<string, InterpretationScore[]>();
  for (const row of rows) {
    const { success, data } = ScoreRow.safeParse(row);
    if (!success) throw damaged(where);
    const { main_metric: main, predictions, failed, scorer } = data;
    if (main === null) continue;
    const key = keyOf(data.group, data);
    const score = {
      ...{ scorer, main, predictions: predictions ?? 0, failed: failed ?? 0 },
      metrics: metricsIn(row),
    };
    scores.set(key, [...scores.get(key) ?? [], score]);
  }
  return scores;
}

/** Metrics are the columns that have an interval beside them. */
function metricsIn(row: Row): Record<string, Estimate> {
  const part = (name: string) => {
    const cell = row[name];
    return typeof cell === "number" ? cell : NaN;
  };
  const names = Object.keys(row).filter((name) => `${name}_low` in row && row[name] !== null);
  return Object.fromEntries(names.map((name) => [
    name,
    { value: part(name), low: part(`${name}_low`), high: part(`${name}_high`) },
  ]));
}

function interpretation(
  row: Row,
  scores: ReadonlyMap<string, readonly InterpretationScore[]>,
  where: string,
): Interpretation {
  const { success, data } = ExplanationRow.safeParse(row);
  if (!success) throw damaged(where);
  const { group, hookpoint, layer, latent: index, explanation, problem } = data;
  return {
    ...{ group, hookpoint, layer, index, explanation, problem },
    languages: data.languages ? data.languages.split(LANGUAGE_SEPARATOR) : [],
    activeWindows: data.active_windows,
    windows: data.windows,
    scores: scores.get(keyOf(group, data)) ?? [],
    shuffledScores: group === "identified" ? scores.get(keyOf("shuffled", data)) ?? [] : [],
  };
}

function keyOf(group: Group, { hookpoint, latent }: z.infer<typeof LatentRow>): string {
  return JSON.stringify([group, hookpoint, latent]);
}

function damaged(path: string): InputError {
  return new InputError(
    `${path} is not as interpret writes it; sum the results up anew by babelscope interpret ` +
      `--log-results.`,
  );
}
