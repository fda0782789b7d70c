/** The steps that count and nothing else: `count`, and `count-neurons` (stages 1, 2b and 2c). */
import { join } from "node:path";
import { print } from "../cli/output.ts";
import { table } from "../cli/table.ts";
import { timesSince, writeManifest } from "../data/manifest.ts";
import { profileTable } from "../session/session.ts";
import type { UnitKind } from "../subject/subject.ts";
import { count, type Counted, type CountOptions, countProvenance } from "./command.ts";

/** What the options of a counting step are parsed to. */
export interface CountStepOptions extends CountOptions {
  readonly outPath?: string;
}

/** What is particular to one of the steps. */
export interface CountStep {
  /** As in `babelscope <name>`. */
  readonly name: string;
  /** Used when `--layer` is not given; all that have an SAE, if not given. */
  readonly hookpoints?: readonly string[];
  /** The only kind of units that the step counts, where not both. */
  readonly kind?: UnitKind;
}

/**
 * Counts what the options say, writes run.json beside the counts, and prints a table of them.
 *
 * @throws InputError for options, a model, SAEs or texts that cannot be used
 */
export async function runCountStep(
  { name, hookpoints, kind }: CountStep,
  options: CountStepOptions,
): Promise<void> {
  const started = new Date();
  using counted = await count(options, options.outPath, hookpoints, kind);
  const { results, folder, openGpu } = counted;
  await writeManifest(join(folder, "run.json"), {
    step: name,
    options,
    ...countProvenance(counted),
    ...timesSince(started),
  });
  print(summary(counted));
  print(`\nCounts are in ${folder}`);
  if (options.profile && results.some(({ reused }) => !reused)) {
    print(profileTable((await openGpu()).gpu) ?? "");
  }
}

function summary({ results }: Counted): string {
  const columns = ["data set", "language", "examples", "tokens", "fired at least once", ""];
  return table(
    columns.map((header, i) => ({ header, align: i >= 2 && i <= 4 ? "right" : "left" })),
    results.map(({ dataset, corpora, examples, tokens, unitsFired, reused, resumedExamples }) => [
      dataset,
      corpora[0].language.name,
      examples.toLocaleString("en"),
      tokens.toLocaleString("en"),
      unitsFired.toLocaleString("en"),
      reused ? "was there" : resumedExamples > 0 ? `resumed after ${resumedExamples}` : "",
    ]),
  );
}
