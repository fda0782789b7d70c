#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope similarity: how alike the features of a language fire (spec section 12). */
import { join, resolve } from "node:path";
import { similarities } from "../lib/analysis/language_similarity.ts";
import { similarityListing, writeSimilarities } from "../lib/analysis/similarity_tables.ts";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { integer } from "../lib/cli/values.ts";
import { claimFolder } from "../lib/data/folder_claim.ts";
import { timesSince, writeManifest } from "../lib/data/manifest.ts";
import { identifiedFeatures, LAPE_RESULT_PATH } from "../lib/identify/lape_result.ts";
import { withModelOptions, withRunOptions, withTextOptions } from "../lib/session/options.ts";
import {
  corpusProvenance,
  openCorpora,
  openSession,
  profileTable,
  sessionProvenance,
} from "../lib/session/session.ts";

const command = withRunOptions(withTextOptions(withModelOptions(step(
  "similarity",
  "Compare every two features of a language: do they fire on the same tokens, and alike?",
  "babelscope similarity --dataset-configs udhr:{en,de,th} --top 3",
))))
  .option(...LAPE_RESULT_PATH)
  .option("--top <n>", "pairs listed per language, most alike first", integer({ min: 0 }), 1);

type Options = ReturnType<typeof command.opts>;

async function main(options: Options): Promise<void> {
  const started = new Date();
  const corpora = await openCorpora(options, options);
  using session = await openSession(options);
  const identified = await identifiedFeatures(options, session.subject.kind);
  const folder = resolve(join(options.outDir, "similarity"));
  using _claim = await claimFolder(folder);
  const { languages, code, adapter, checkpoint } = await similarities(
    session,
    corpora,
    identified,
    folder,
    options,
  );
  using parts = checkpoint;
  await writeSimilarities(folder, languages);
  await writeManifest(join(folder, "run.json"), {
    step: "similarity",
    options,
    lape: { path: identified.path, sha256: identified.sha256 },
    ...sessionProvenance(session),
    corpora: corpusProvenance(corpora),
    adapter: adapter ?? null,
    code: { sha256: code },
    ...timesSince(started),
  });
  await parts.remove();
  print(similarityListing(languages, options.top));
  print(`\n${folder} has iou, pearson, pairs.csv, pairs.parquet, run.json`);
  if (options.profile && adapter !== undefined) {
    print(profileTable((await session.openGpu()).gpu) ?? "");
  }
}

if (import.meta.main) await run(command, main);
