#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope count: texts → how often each latent or neuron fires, per language (stages 1, 2b, 2c). */
import { join } from "node:path";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { table } from "../lib/cli/table.ts";
import { count, type Counted, countProvenance, withCountOptions } from "../lib/count/command.ts";
import { writeManifest } from "../lib/data/manifest.ts";
import { profileTable } from "../lib/session/session.ts";

const command = withCountOptions(step(
  "count",
  "Count, per language, how often each feature of a model fires on texts.",
  "babelscope count --dataset-configs udhr:{en,de,th} --layer layers.{3..5}.mlp",
)).option(
  "--out-path <folder>",
  "folder of the counts within --out-dir (default: counts or neuron_counts)",
);

type Options = ReturnType<typeof command.opts>;

async function main(options: Options): Promise<void> {
  const started = new Date();
  using counted = await count(options, options.outPath);
  const { results, folder, openGpu } = counted;
  await writeManifest(join(folder, "run.json"), {
    step: "count",
    options,
    ...countProvenance(counted),
    started: started.toISOString(),
    seconds: (Date.now() - started.getTime()) / 1000,
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

if (import.meta.main) await run(command, main);
