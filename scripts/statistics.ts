#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope statistics: texts → how strongly each latent or neuron fires, and where (stage 2a). */
import { join, resolve } from "node:path";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { table } from "../lib/cli/table.ts";
import { claimFolder } from "../lib/data/folder_claim.ts";
import { timesSince, writeManifest } from "../lib/data/manifest.ts";
import { withModelOptions, withRunOptions, withTextOptions } from "../lib/session/options.ts";
import {
  corpusProvenance,
  openCorpora,
  openSession,
  profileTable,
  sessionProvenance,
} from "../lib/session/session.ts";
import { type Statistics, statistics } from "../lib/statistics/statistics.ts";

const command = withRunOptions(withTextOptions(withModelOptions(step(
  "statistics",
  "Write, per language, the mean, quartiles, extremes and spread of each feature's activations, and " +
    "where they are.",
  "babelscope statistics --dataset-configs udhr:{en,de,th} --layer layers.{3..5}.mlp",
)))).option("--no-occurrences", "leave out the lists of row, token and activation");

type Options = ReturnType<typeof command.opts>;

async function main(options: Options): Promise<void> {
  const started = new Date();
  const corpora = await openCorpora(options, options);
  using session = await openSession(options);
  const folder = resolve(join(options.outDir, "statistics"));
  using _claim = await claimFolder(folder);
  const made = await statistics(session, corpora, folder, options);
  await writeManifest(join(folder, "run.json"), {
    step: "statistics",
    options,
    ...sessionProvenance(session),
    corpora: corpusProvenance(corpora),
    adapters: [...new Set(made.results.flatMap(({ adapters }) => adapters))],
    code: { sha256: made.code },
    ...timesSince(started),
  });
  const hookpoints = session.subject.targets.length;
  print(summary(made, hookpoints));
  print(`\nStatistics are in ${folder}`);
  if (options.profile && made.results.some(({ reused }) => reused < hookpoints)) {
    print(profileTable((await session.openGpu()).gpu) ?? "");
  }
}

/** @param hookpoints of each language */
function summary({ results }: Statistics, hookpoints: number): string {
  const columns = ["data set", "language", "examples", "tokens", "occurrences", ""];
  return table(
    columns.map((header, i) => ({ header, align: i >= 2 && i <= 4 ? "right" : "left" })),
    results.map(({ dataset, corpora, examples, tokens, occurrences, reused }) => [
      dataset,
      corpora[0].language.name,
      ...[examples, tokens, occurrences].map((n) => n.toLocaleString("en")),
      reused === hookpoints
        ? "was there"
        : reused > 0
        ? `${reused} of ${hookpoints} were there`
        : "",
    ]),
  );
}

if (import.meta.main) await run(command, main);
