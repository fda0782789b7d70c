#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope top-tokens: the tokens that features speak for (spec section 12). */
import { join, resolve } from "node:path";
import {
  distinctFeatures,
  type LanguageFeatures,
  locateFeatures,
  nameOf,
} from "../lib/analysis/located_features.ts";
import { tokenAsText, type TokenLogit, topTokensOf } from "../lib/analysis/top_tokens.ts";
import {
  type TopToken,
  topTokenListing,
  writeTopTokens,
} from "../lib/analysis/top_token_tables.ts";
import { type Identifier, openIdentifier } from "../lib/classify/identifiers.ts";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { integer, oneOf } from "../lib/cli/values.ts";
import { claimFolder } from "../lib/data/folder_claim.ts";
import { codeHash, timesSince, writeManifest } from "../lib/data/manifest.ts";
import type { Tokenizer } from "../lib/formats/tokenizer.ts";
import { identifiedFeatures, LAPE_RESULT_PATH } from "../lib/identify/lape_result.ts";
import { withModelOptions, withRunOptions } from "../lib/session/options.ts";
import { openSession, profileTable, runModel, sessionProvenance } from "../lib/session/session.ts";

const command = withRunOptions(withModelOptions(step(
  "top-tokens",
  "List the tokens whose logits each feature's decoder row raises most.",
  "babelscope top-tokens --top 5 --identifier fasttext",
)))
  .option(...LAPE_RESULT_PATH)
  .option("--top <n>", "tokens per feature", integer({ min: 1 }), 10)
  .option(
    "--identifier <name>",
    "mark tokens whose language is identified as the feature's own: eld, fasttext or none",
    oneOf("eld", "fasttext", "none"),
    "none",
  );

type Options = ReturnType<typeof command.opts>;

/** Code that decides the tokens. */
const ROOMS = ["kernels", "lib/gpu", "lib/nn", "lib/sae", "lib/formats", "lib/analysis"];

async function main(options: Options): Promise<void> {
  const started = new Date();
  using session = await openSession(options);
  const { subject } = session;
  const identified = await identifiedFeatures(options, "latents");
  const languages = locateFeatures(identified, subject);
  const features = distinctFeatures(languages);
  const identifier = options.identifier === "none"
    ? undefined
    : await openIdentifier(options.identifier);
  const folder = resolve(join(options.outDir, "top_token_features"));
  using _claim = await claimFolder(folder);
  using model = await runModel(session, options);
  const found = await topTokensOf(model, subject, features, options.top);
  const byName = new Map(features.map((feature, i) => [nameOf(feature), found[i]]));
  const tokens = languages.flatMap((own) => sheet(own, byName, subject.tokenizer, identifier));
  await writeTopTokens(folder, tokens);
  await writeManifest(join(folder, "run.json"), {
    step: "top-tokens",
    options,
    lape: { path: identified.path, sha256: identified.sha256 },
    ...sessionProvenance(session),
    adapter: model.adapter,
    code: { sha256: await codeHash(ROOMS) },
    ...timesSince(started),
  });
  print(topTokenListing(tokens));
  print(`\n${folder} has a sheet per language, top_tokens.csv, top_tokens.parquet, run.json`);
  if (options.profile) print(profileTable(model.gpu) ?? "");
}

/** The top tokens of a language's features. */
function sheet(
  { language, features }: LanguageFeatures,
  byName: ReadonlyMap<string, readonly TokenLogit[]>,
  tokenizer: Tokenizer,
  identifier: Identifier | undefined,
): TopToken[] {
  return features.flatMap((feature) =>
    (byName.get(nameOf(feature)) ?? []).map(({ token, logit }, i) => {
      const text = tokenAsText(tokenizer, token);
      const identified = identifier && (identifier(text)[0]?.language ?? "");
      const { layer, index } = feature;
      return { language, layer, index, rank: i + 1, token, text, logit, identified };
    })
  );
}

if (import.meta.main) await run(command, main);
