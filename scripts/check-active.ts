#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope check-active: features of languages that fire in given texts (spec section 10). */
import { activeListing } from "../lib/classify/active_listing.ts";
import {
  checkActive,
  checkActiveCommand,
  type CheckActiveOptions,
} from "../lib/classify/check_active.ts";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";

async function main(options: CheckActiveOptions): Promise<void> {
  const { texts, names, folder, profile } = await checkActive(options);
  for (const text of texts) print(`${activeListing(text, names, options.top)}\n`);
  print(`${folder} has result.json, run.json`);
  if (profile) print(profile);
}

if (import.meta.main) await run(checkActiveCommand(), main);
