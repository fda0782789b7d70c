#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope build-site: the explorer as files, with the model in the visitor's browser. */
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import {
  buildSiteCommand,
  type BuildSiteOptions,
  runBuildSite,
} from "../lib/site/build_site_step.ts";

async function main(options: BuildSiteOptions): Promise<void> {
  const { folder, files, bytes, weights, live } = await runBuildSite(options);
  print(
    `${folder} is a site of ${files} files, ${megabytes(bytes)}; any web server can hand it out.`,
  );
  print(
    live === true
      ? `Model and SAEs are ${megabytes(weights)} of it: visitors who try a text fetch them once.`
      : `Texts cannot be tried on it: ${live}`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

if (import.meta.main) await run(buildSiteCommand(), main);
