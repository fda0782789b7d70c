#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope explore: the results of identify in a browser, and the model live. */
import { run } from "../lib/cli/run.ts";
import { explore, exploreCommand } from "../lib/explore/explore.ts";

if (import.meta.main) await run(exploreCommand(), explore);
