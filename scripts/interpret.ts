#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope interpret: identified features → explanations by a language model, and their scores. */
import { run } from "../lib/cli/run.ts";
import { runInterpret } from "../lib/explain/interpret_step.ts";
import { interpretCommand } from "../lib/explain/options.ts";

const command = interpretCommand();

if (import.meta.main) {
  await run(command, (options) => runInterpret(options, command.processedArgs));
}
