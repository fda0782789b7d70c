#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys
/** babelscope features: what a lape.json, or a published lape_all.pt, says belongs to which language. */
import { join, resolve } from "node:path";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { integer } from "../lib/cli/values.ts";
import { sha256File, writeAtomic } from "../lib/data/files.ts";
import { languageOf, LANGUAGES } from "../lib/data/languages.ts";
import { readLapeFile } from "../lib/data/lape_files.ts";
import { timesSince, versions, writeManifest } from "../lib/data/manifest.ts";
import { writeTable } from "../lib/data/tables.ts";
import { InputError } from "../lib/formats/input_error.ts";
import { lapeColumns } from "../lib/lape/features_table.ts";
import { type LapeResult, lapeResultJson } from "../lib/lape/lape_json.ts";
import { lapeListing } from "../lib/report/lape_listing.ts";

const command = step(
  "features",
  "List the features of a lape.json or a published lape_all.pt, and write them as tables.",
  "babelscope features --lape-result-path results/lape.json --top 10",
)
  .requiredOption("--lape-result-path <file>", "lape.json of identify, or a published lape_all.pt")
  .option("--top <n>", "features listed per language, lowest entropy first", integer({ min: 0 }), 3)
  .option("--lang <codes...>", "languages that are listed; files get all (default: all)")
  .option(
    "--out-dir <folder>",
    "write features.csv, features.parquet, lape.json and run.json here",
  );

type Options = ReturnType<typeof command.opts>;

async function main(options: Options): Promise<void> {
  const started = new Date();
  const path = options.lapeResultPath;
  const result = await readLapeFile(path);
  const shown = options.lang?.map((code) => placeOf(code, result, path));
  print(lapeListing(result, shown ?? [...result.languages.keys()], options.top));
  if (options.outDir === undefined) return;

  const folder = resolve(options.outDir);
  const codes = new Map(LANGUAGES.map(({ name, code }) => [name, code]));
  await writeTable(join(folder, "features"), lapeColumns(result, codes));
  await writeAtomic(join(folder, "lape.json"), JSON.stringify(lapeResultJson(result)) + "\n");
  await writeManifest(join(folder, "run.json"), {
    step: "features",
    options,
    lape: { path, sha256: await sha256File(path) },
    versions: versions(),
    ...timesSince(started),
  });
  print(`\n${folder} has features.csv, features.parquet, lape.json, run.json`);
}

/** Position of a language in a result. */
function placeOf(code: string, { languages }: LapeResult, path: string): number {
  const { name } = languageOf(code);
  const place = languages.indexOf(name);
  if (place >= 0) return place;
  throw new InputError(
    `--lang ${code}: ${path} has no ${name} among its languages (${languages.join(", ")}); ` +
      `leave --lang out to list them all.`,
  );
}

if (import.meta.main) await run(command, main);
