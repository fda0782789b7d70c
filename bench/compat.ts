#!/usr/bin/env -S deno run --allow-env --allow-read --allow-write --allow-sys --allow-ffi --allow-run
/**
 * babelscope compat: what `--compat paper` changes, one published behaviour at a time, measured on the
 * embedded model. README's table of differences has its figures.
 */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { print, remark } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { table } from "../lib/cli/table.ts";
import { findStoredCounts, readCounts } from "../lib/count/count_files.ts";
import { ALL_LANGUAGES } from "../lib/session/options.ts";
import { readJson } from "../lib/data/files.ts";
import { languageOf } from "../lib/data/languages.ts";
import { readTable } from "../lib/data/tables.ts";
import { InputError } from "../lib/formats/input_error.ts";
import type { Identification } from "../lib/lape/identification.ts";
import { identifySaeLape, type SaeLapeOptions } from "../lib/lape/identify_sae.ts";
import { toLapeJson } from "../lib/lape/lape_json.ts";
import { pool, type PooledCounts } from "../lib/lape/pool.ts";

const LAUNCHER = fileURLToPath(new URL("../babelscope", import.meta.url));

const command = step(
  "compat",
  "Measure what --compat paper changes, on the embedded model.",
  "babelscope compat --out-dir /tmp/compat",
).option("--out-dir <folder>", "where the runs that are compared go; kept", "results/compat");

/** A published behaviour and its measured effect. */
type Row = readonly [behaviour: string, effect: string];

async function main({ outDir }: ReturnType<typeof command.opts>): Promise<void> {
  const folder = resolve(outDir);
  const rows = [
    ...await counting(folder),
    ...identifying(await pooledIn(join(folder, "default"))),
    ...await checking(folder),
    ...await generating(folder),
  ];
  print(table([{ header: "as published" }, { header: "effect" }], rows));
}

/** Rows, zeros and rounding of counts. */
async function counting(folder: string): Promise<Row[]> {
  const rows = `${ALL_LANGUAGES}:train:0:1000`;
  await babelscope("count", ["--out-dir", join(folder, "default")]);
  await babelscope("count", ["--out-dir", join(folder, "open"), "--compat", "paper"]);
  await babelscope("count", [
    ...["--out-dir", join(folder, "closed"), "--compat", "paper", "--dataset-configs", rows],
  ]);
  const [ours, open, closed] = await Promise.all(
    ["default", "open", "closed"].map((name) => pooledIn(join(folder, name))),
  );
  const all = fired(closed);
  const zeros = all - fired(ours);
  return [
    [
      "an open end leaves out the last row",
      `${total(ours, "examples") - total(open, "examples")} of ${total(ours, "examples")} texts, ` +
      `${total(ours, "tokens") - total(open, "tokens")} of ${total(ours, "tokens")} tokens`,
    ],
    ["TopK slots of value 0 count", `${zeros} of ${all} slots more`],
    [
      "largest and smallest activations are rounded to 3 decimals",
      `by ${largestDifference(ours, closed).toExponential(1)} at most`,
    ],
  ];
}

/** Defaults, arithmetic and files of identification, from one set of counts. */
function identifying(pooled: PooledCounts): Row[] {
  const ours = identifySaeLape(pooled);
  const usual = { topkThresholdRatio: 0.5, langSpecific: true };
  const float32 = identifySaeLape(pooled, { ...usual, compat: "paper" });
  const shared = identifySaeLape(pooled, { compat: "paper" });
  const threshold = entropyAt(ours, 0.5);
  const kept = (compat?: "paper") =>
    size(identifySaeLape(pooled, {
      ...usual,
      ...{ top: 10, topByFrequency: true, entropyThreshold: threshold, compat },
    }));
  const file = toLapeJson(float32, pooled, { compat: "paper" });
  const right = toLapeJson(float32, pooled);
  const moved = Object.keys(file.features_info).reduce((sum, language) => {
    const [a, b] = [file, right].map((json) =>
      [json.features_info[language].selected_probs].flat()
    );
    return sum + a.filter((value, i) => value !== b[i]).length;
  }, 0);
  return [
    [
      "ratio 0.8, features of several languages too",
      `${size(shared)} pairs of a feature and a language instead of ${size(ours)}`,
    ],
    ["arithmetic of the rules in f32", `${different(ours, float32)} features differ`],
    [
      "--entropy-threshold with --top-by-frequency searches an unsorted list",
      `${kept("paper")} features instead of ${kept()} (--top 10, threshold ${
        threshold.toFixed(2)
      })`,
    ],
    [
      "languages without features are left out of lape.json",
      `${misaligned(pooled)} of the ${pooled.languages.length - 1} results of shared features`,
    ],
    [
      "selected_probs stand in the order of the entropies",
      `${moved} of ${size(float32)} stand in another feature's place`,
    ],
  ];
}

/** Tokens that features are shown on. */
async function checking(folder: string): Promise<Row[]> {
  const shown = async (name: string, more: readonly string[]) => {
    await babelscope("check-active", ["--out-dir", join(folder, name), ...more]);
    const path = join(folder, name, "active_features", "result.json");
    return tokensShown(await readJson(path));
  };
  const ours = await shown("default", []);
  const lape = join(folder, "default", "lape.json");
  const paper = await shown("paper", ["--compat", "paper", "--lape-result-path", lape]);
  return [[
    "check-active: features of one layer and language share their tokens",
    `${paper} tokens shown instead of the ${ours} on which the feature fires`,
  ]];
}

/** Texts written token by token, or by strings. */
async function generating(folder: string): Promise<Row[]> {
  const lape = ["--lape-result-path", join(folder, "default", "lape.json")];
  const asked = ["--lang", "de", "th", "ja", "ko", "zh", "hi", "--times", "5", ...lape];
  const texts = async (name: string, more: readonly string[]) => {
    await babelscope("generate", ["--out-dir", join(folder, name), ...asked, ...more]);
    const path = join(folder, name, "text_generation", "generations.parquet");
    return (await readTable(path, ["text"])).text.map(String);
  };
  const ours = await texts("default", []);
  const paper = await texts("paper", ["--compat", "paper"]);
  const changed = ours.filter((text, i) => text !== paper[i].replace(/<\|end_of_text\|>.*/s, ""));
  const broken = (list: readonly string[]) => list.filter((text) => text.includes("\ufffd")).length;
  return [[
    "generate: the text is decoded and tokenised again after every token",
    `${changed.length} of ${ours.length} texts change; ${broken(paper)} hold broken characters ` +
    `instead of ${broken(ours)}`,
  ]];
}

async function babelscope(step: string, args: readonly string[]): Promise<void> {
  remark(`babelscope ${step} ${args.join(" ")}`);
  const child = new Deno.Command(LAUNCHER, { args: [step, ...args], stdout: "null" }).spawn();
  const { success } = await child.status;
  if (!success) throw new InputError(`babelscope ${step} failed; see its words above.`);
}

async function pooledIn(folder: string): Promise<PooledCounts> {
  const found = await findStoredCounts(join(folder, "counts"));
  const entries = found.map(async ({ path, lang }) => ({
    language: languageOf(lang).name,
    counts: (await readCounts(path)).counts,
  }));
  return pool(await Promise.all(entries));
}

function total({ byLanguage }: PooledCounts, what: "examples" | "tokens"): number {
  return byLanguage.reduce((sum, counts) => sum + counts[what], 0);
}

function fired({ byLanguage }: PooledCounts): number {
  return byLanguage.reduce(
    (sum, { firedTokens }) => sum + firedTokens.reduce((a, b) => a + b, 0),
    0,
  );
}

/** Between the largest activations, and the smallest where both are above 0. */
function largestDifference(a: PooledCounts, b: PooledCounts): number {
  let most = 0;
  for (const [g, { max, min }] of a.byLanguage.entries()) {
    const other = b.byLanguage[g];
    max.forEach((value, at) => most = Math.max(most, Math.abs(value - other.max[at])));
    min.forEach((value, at) => {
      if (Number.isFinite(value) && other.min[at] > 0) {
        most = Math.max(most, Math.abs(value - other.min[at]));
      }
    });
  }
  return most;
}

function size({ features }: Identification): number {
  return features.flat().length;
}

/** Pairs of a feature and a language that are in one only. */
function different(a: Identification, b: Identification): number {
  const [first, second] = [a, b].map(({ features }) =>
    new Set(features.flatMap((list, g) => list.map(({ layer, index }) => `${g} ${layer} ${index}`)))
  );
  return first.symmetricDifference(second).size;
}

function entropyAt({ features }: Identification, share: number): number {
  const entropies = features.flat().map(({ entropy }) => entropy).sort((a, b) => a - b);
  return entropies[Math.floor(share * entropies.length)];
}

/** Results of shared features, for 2 to all languages, in which some language has none. */
function misaligned(pooled: PooledCounts): number {
  const counts = Array.from({ length: pooled.languages.length - 1 }, (_, i) => i + 2);
  return counts.filter((sharedCount) => {
    const options: Partial<SaeLapeOptions> = {
      ...{ topkThresholdRatio: 0.5, langSpecific: false, langShared: true, sharedCount },
    };
    return identifySaeLape(pooled, options).features.some((list) => list.length === 0);
  }).length;
}

/** Tokens listed under features, anywhere in a result of check-active. */
function tokensShown(result: unknown): number {
  if (typeof result !== "object" || result === null) return 0;
  if ("tokens" in result && Array.isArray(result.tokens)) return result.tokens.length;
  return Object.values(result).reduce<number>((sum, inner) => sum + tokensShown(inner), 0);
}

if (import.meta.main) await run(command, main);
