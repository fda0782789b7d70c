#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope generate: texts of a model that is steered towards languages (spec section 8.1). */
import { run } from "../lib/cli/run.ts";
import { generateTexts } from "../lib/generate/generate.ts";
import { generateCommand } from "../lib/generate/generate_options.ts";

if (import.meta.main) await run(generateCommand(), generateTexts);
