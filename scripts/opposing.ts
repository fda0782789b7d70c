#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope opposing: what features' decoder rows point along and against (spec section 12). */
import { join, resolve } from "node:path";
import { opposedFeatures } from "../lib/analysis/opposing_features.ts";
import { opposingListing, writeOpposing } from "../lib/analysis/opposing_tables.ts";
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
  "opposing",
  "Find, for each feature, the latent whose decoder row is most opposed to its own, how often each " +
    "fires and on which tokens both do, and how far the row points along the decoder's bias.",
  "babelscope opposing --dataset-configs udhr:{en,de,th} --top 3",
))))
  .option(...LAPE_RESULT_PATH)
  .option("--top <n>", "features listed, the most extreme first", integer({ min: 0 }), 5);

type Options = ReturnType<typeof command.opts>;

async function main(options: Options): Promise<void> {
  const started = new Date();
  const corpora = await openCorpora(options, options);
  using session = await openSession(options);
  const identified = await identifiedFeatures(options, "latents");
  const folder = resolve(join(options.outDir, "hfls"));
  using _claim = await claimFolder(folder);
  const opposed = await opposedFeatures(session, corpora, identified, folder, options);
  using parts = opposed.checkpoint;
  await writeOpposing(folder, opposed, session.subject.tokenizer);
  await writeManifest(join(folder, "run.json"), {
    step: "opposing",
    options,
    lape: { path: identified.path, sha256: identified.sha256 },
    ...sessionProvenance(session),
    corpora: corpusProvenance(corpora),
    adapter: opposed.adapter ?? null,
    code: { sha256: opposed.code },
    ...timesSince(started),
  });
  await parts.remove();
  print(opposingListing(opposed, options.top));
  print(
    `\n${folder} has sae_bias_similarity, sae_opposing_features and sae_opposing_tokens as .csv and ` +
      `.parquet, run.json`,
  );
  if (options.profile && opposed.adapter !== undefined) {
    print(profileTable((await session.openGpu()).gpu) ?? "");
  }
}

if (import.meta.main) await run(command, main);
