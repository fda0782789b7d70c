#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope classify: the language of texts by the features that fire (spec section 9). */
import { classify } from "../lib/classify/classify.ts";
import type { Evaluation } from "../lib/classify/evaluation.ts";
import { classifyCommand, type ClassifyOptions } from "../lib/classify/options.ts";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { table } from "../lib/cli/table.ts";
import type { Interval } from "../lib/stats/bootstrap.ts";

async function main(options: ClassifyOptions): Promise<void> {
  const { evaluations, folder, profile } = await classify(options);
  print(summary(evaluations));
  print(
    `\n${folder} has comparison.csv, comparison.parquet, run.json, and a folder per classifier with ` +
      `metrics.json and predictions`,
  );
  if (profile) print(profile);
}

function summary(evaluations: readonly Evaluation[]): string {
  const columns = [
    "classifier",
    "texts",
    "accuracy",
    "95 %",
    "macro F1",
    "95 %",
    "ties",
    "no evidence",
  ];
  return table(
    columns.map((header, i) => ({ header, align: i > 0 ? "right" : "left" })),
    evaluations.map(({ name, predictions, accuracy, f1Macro, intervals, ties, empty }) => [
      name,
      String(predictions.length),
      accuracy.toFixed(4),
      range(intervals?.accuracy),
      f1Macro.toFixed(4),
      range(intervals?.f1Macro),
      String(ties),
      String(empty),
    ]),
  );
}

function range(interval: Interval | undefined): string {
  return interval ? `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}` : "";
}

if (import.meta.main) await run(classifyCommand(), main);
