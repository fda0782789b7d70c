/** What `classify` writes: predictions per data set, metrics per classifier, a table of classifiers. */
import { join } from "node:path";
import { writeAtomic } from "../data/files.ts";
import { type Columns, writeTable } from "../data/tables.ts";
import type { Interval } from "../stats/bootstrap.ts";
import type { Evaluation, LabelledText } from "./evaluation.ts";
import { iso3Of } from "./language_codes.ts";

/** Consecutive texts of one language. */
export interface TextRange {
  /** As in the names of files, e.g. `en`. */
  readonly lang: string;
  /** First text, and one past the last. */
  readonly start: number;
  readonly end: number;
}

/** How scores are written. */
export interface ScoreFormat {
  /** Multiplies the scores of SAE features by (rows - row), as published (quirk 20). */
  readonly scaled: boolean;
}

/** The predictions of one language's texts under the original's column names (spec section 9). */
export function predictionColumns(
  { languages, scores, predictions }: Evaluation,
  texts: readonly LabelledText[],
  { start, end }: TextRange,
  { scaled }: ScoreFormat,
): Columns {
  const rows = Array.from({ length: end - start }, (_, row) => start + row);
  const names = languages.map((name) => `'${name}'`).join(", ");
  return {
    sentences: rows.map((at) => texts[at].text),
    predictions: rows.map((at) => iso3Of(languages[predictions[at].language])),
    labels: rows.map((at) => iso3Of(texts[at].language)),
    [`results ([${names}])`]: rows.map((at) =>
      listText(scores[at].map((score) => scaled ? score * (end - at) : score))
    ),
  };
}

function listText(scores: readonly number[]): string {
  return `[${scores.map((score) => Number(score.toFixed(3))).join(", ")}]`;
}

/** metrics.json: the original's keys, then ours. */
export function metricsJson(evaluation: Evaluation): Readonly<Record<string, unknown>> {
  const { intervals, predictions } = evaluation;
  return {
    classes: evaluation.classes,
    accuracy: evaluation.accuracy,
    precision: evaluation.precision,
    recall: evaluation.recall,
    f1: evaluation.f1,
    precision_macro: evaluation.precisionMacro,
    recall_macro: evaluation.recallMacro,
    f1_macro: evaluation.f1Macro,
    confusion_matrix: evaluation.confusion,
    texts: predictions.length,
    ties: evaluation.ties,
    texts_without_evidence: evaluation.empty,
    accuracy_interval: intervals ? pair(intervals.accuracy) : null,
    f1_macro_interval: intervals ? pair(intervals.f1Macro) : null,
  };
}

/** One row per classifier. */
export function comparisonColumns(evaluations: readonly Evaluation[]): Columns {
  const column = <T extends string | number | null>(valueOf: (evaluation: Evaluation) => T) =>
    evaluations.map(valueOf);
  return {
    classifier: column(({ name }) => name),
    texts: column(({ predictions }) => predictions.length),
    accuracy: column(({ accuracy }) => accuracy),
    accuracy_low: column(({ intervals }) => intervals?.accuracy.low ?? null),
    accuracy_high: column(({ intervals }) => intervals?.accuracy.high ?? null),
    f1_macro: column(({ f1Macro }) => f1Macro),
    f1_macro_low: column(({ intervals }) => intervals?.f1Macro.low ?? null),
    f1_macro_high: column(({ intervals }) => intervals?.f1Macro.high ?? null),
    ties: column(({ ties }) => ties),
    texts_without_evidence: column(({ empty }) => empty),
  };
}

/**
 * Writes one classifier's folder: `predictions_<lang>.csv` (and Parquet) and `metrics.json`.
 *
 * @param ranges one per language
 */
export async function writeEvaluation(
  folder: string,
  evaluation: Evaluation,
  texts: readonly LabelledText[],
  ranges: readonly TextRange[],
  format: ScoreFormat,
): Promise<void> {
  for (const range of ranges) {
    const columns = predictionColumns(evaluation, texts, range, format);
    await writeTable(join(folder, `predictions_${range.lang}`), columns);
  }
  const metrics = JSON.stringify(metricsJson(evaluation), null, 4);
  await writeAtomic(join(folder, "metrics.json"), `${metrics}\n`);
}

function pair({ low, high }: Interval): readonly [number, number] {
  return [low, high];
}
