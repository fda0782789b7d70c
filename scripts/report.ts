#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope report: one page of all results in a folder. */
import { resolve } from "node:path";
import { remark } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { identify } from "../lib/identify/identify.ts";
import { identifyCommand } from "../lib/identify/options.ts";
import { formatList, isEmpty, runReport } from "../lib/report/report_step.ts";

const command = step(
  "report",
  "Show all results of a folder on one page, report.html, that needs nothing but a browser.",
  "babelscope report --out-dir results/paper --figures svg,png",
)
  .option(
    "--out-dir <folder>",
    "results of identify, paper, train-sae, evaluate-sae or interpret, or a mixture; where there are " +
      "none yet, identify makes them first",
    "results",
  )
  .option(
    "--figures <formats>",
    "write each figure to <out-dir>/figures as well: svg, png, pdf or several, as svg,png; CSV comes " +
      "with them",
    formatList,
  )
  .option(
    "--no-maps",
    "leave out the maps of decoder directions (UMAP), for which the SAEs are opened; they take seconds " +
      "per layer",
  );

type Options = ReturnType<typeof command.opts>;

async function main(options: Options): Promise<void> {
  const folder = resolve(options.outDir);
  if (await isEmpty(folder)) {
    remark(`There are no results in ${folder} yet: identify makes them first.`);
    const identifyOptions = identifyCommand().parse([], { from: "user" }).opts();
    await identify({ ...identifyOptions, outDir: folder }, false);
  }
  await runReport(options);
}

if (import.meta.main) await run(command, main);
