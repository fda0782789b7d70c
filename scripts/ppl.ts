#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope ppl: how well a model predicts languages, with and without interventions (spec 8.2). */
import { join, resolve } from "node:path";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { claimFolder } from "../lib/data/folder_claim.ts";
import { timesSince, writeManifest } from "../lib/data/manifest.ts";
import { identifiedFeatures } from "../lib/identify/lape_result.ts";
import { openCorpora, profileTable } from "../lib/session/session.ts";
import { measurePerplexities, openPplSession } from "../lib/ppl/ppl.ts";
import { writePerplexities } from "../lib/ppl/ppl_files.ts";
import { pplCommand, type PplOptions, usualFolder } from "../lib/ppl/ppl_options.ts";
import { effectsTable, matrixTables, normalTable } from "../lib/ppl/ppl_tables.ts";

const command = pplCommand();

async function main(options: PplOptions): Promise<void> {
  const started = new Date();
  const corpora = await openCorpora(options, options);
  using session = await openPplSession(options);
  const folder = resolve(join(options.outDir, "ppl", options.outPath ?? usualFolder(options)));
  using _claim = await claimFolder(folder);
  const lape = options.interventionType
    ? await identifiedFeatures(options, session.subject.kind)
    : undefined;
  const found = await measurePerplexities(options, session, corpora, folder, lape);
  using checkpoint = found.checkpoint;
  await writePerplexities(folder, found);
  await writeManifest(join(folder, "run.json"), {
    step: "ppl",
    options,
    ...found.provenance,
    ...timesSince(started),
  });
  await checkpoint.remove();

  print(normalTable(found));
  if (found.effects) print(`\n${matrixTables(found)}\n\n${effectsTable(found, found.effects)}`);
  const files = found.effects ? "change_matrix.csv, effects.json, " : "";
  print(`\n${folder} has normal.json, ${files}run.json`);
  if (options.profile) print(profileTable((await session.openGpu()).gpu) ?? "");
}

if (import.meta.main) await run(command, main);
