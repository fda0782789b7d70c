#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope summary: what all steps in a folder found, held against the paper's claims. */
import { join, resolve } from "node:path";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { table } from "../lib/cli/table.ts";
import { oneOf } from "../lib/cli/values.ts";
import { writeAtomic } from "../lib/data/files.ts";
import { versions, writeManifest } from "../lib/data/manifest.ts";
import { claimsOf } from "../lib/summary/claims.ts";
import { summaryMarkdown } from "../lib/summary/markdown.ts";
import { readFindings } from "../lib/summary/read_findings.ts";

const command = step(
  "summary",
  "Say what all steps in a folder found, and which of the paper's claims hold.",
  "babelscope summary --out-dir results/paper",
)
  .option("--out-dir <folder>", "where the steps wrote their results", "results/paper")
  .option(
    "--identifier <name>",
    "who judges the language of steered texts: eld or fasttext",
    oneOf("eld", "fasttext"),
    "eld",
  );

type Options = ReturnType<typeof command.opts>;

async function main({ outDir, identifier }: Options): Promise<void> {
  const folder = resolve(outDir);
  const findings = await readFindings(folder, identifier);
  const claims = claimsOf(findings);
  await writeAtomic(join(folder, "summary.md"), summaryMarkdown(findings, claims));
  await writeManifest(join(folder, "summary.json"), { claims, findings, versions: versions() });
  print(table(
    [{ header: "claim" }, { header: "" }],
    claims.map(({ claim, verdict }) => [claim, verdict]),
  ));
  print(`\n${folder} has summary.md with the numbers, and summary.json`);
}

if (import.meta.main) await run(command, main);
