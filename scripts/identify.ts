#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope identify: which latents or neurons belong to which language (stage 3, spec section 6). */
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { identify } from "../lib/identify/identify.ts";
import { identifyCommand } from "../lib/identify/options.ts";

const command = identifyCommand();

if (import.meta.main) {
  await run(command, async (options) => {
    const named = command.getOptionValueSource("datasetConfigs") !== "default";
    print((await identify(options, named)).summary);
  });
}
