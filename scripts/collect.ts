#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope collect: texts → TopK entries of every token on disk (stage 1). */
import { join, resolve } from "node:path";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { table } from "../lib/cli/table.ts";
import { integer } from "../lib/cli/values.ts";
import { describeSpec } from "../lib/data/dataset_configs.ts";
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
import { collect, type Collected } from "../lib/statistics/collect.ts";

const command = withRunOptions(withTextOptions(withModelOptions(step(
  "collect",
  "Write the latents that are active on every token to files. The other steps do without them; they " +
    "are for programs of your own.",
  "babelscope collect --dataset-configs udhr:{en,de,th} --layer layers.{3..5}.mlp",
)))).option("--shard-rows <n>", "texts of one file", integer({ min: 1 }), 1000);

type Options = ReturnType<typeof command.opts>;

async function main(options: Options): Promise<void> {
  const started = new Date();
  const corpora = await openCorpora(options, options);
  using session = await openSession(options);
  const folder = resolve(join(options.outDir, "sae_features"));
  using _claim = await claimFolder(folder);
  const collected = await collect(session, corpora, folder, options);
  await writeManifest(join(folder, "run.json"), {
    step: "collect",
    options,
    ...sessionProvenance(session),
    corpora: corpusProvenance(corpora),
    adapter: collected.adapter ?? null,
    code: { sha256: collected.code },
    ...timesSince(started),
  });
  print(summary(collected));
  print(`\nEntries are in ${folder}`);
  if (options.profile && collected.adapter !== undefined) {
    print(profileTable((await session.openGpu()).gpu) ?? "");
  }
}

function summary({ results }: Collected): string {
  const columns = ["data set", "language", "examples", "tokens", "files", "there before"];
  return table(
    columns.map((header, i) => ({ header, align: i >= 2 ? "right" : "left" })),
    results.map(({ corpus, tokens, files, reused }) => [
      describeSpec(corpus.spec),
      corpus.language.name,
      ...[corpus.texts.length, tokens, files, reused].map((n) => n.toLocaleString("en")),
    ]),
  );
}

if (import.meta.main) await run(command, main);
