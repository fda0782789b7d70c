/** The step `explore`: a local web application over the results of identify. */
import { step } from "../cli/step.ts";
import { integer } from "../cli/values.ts";
import { withRunOptions } from "../session/options.ts";
import { openExplorer } from "./open_explorer.ts";
import { checkListening, checkPort } from "./server/access.ts";
import { serveExplorer } from "./server/serve.ts";

/** The command of the step. */
export function exploreCommand() {
  return withRunOptions(step(
    "explore",
    "Look into the results of identify in a browser: features, texts, and the model live. An index " +
      "(explore.sqlite) is built at the first start; it keeps the firings of all latents up to 2^25 " +
      "of them, else the 40 strongest texts per language of each language-specific one.",
    "babelscope explore --out-dir results",
  ))
    .option("--host <address>", "address to listen at", "127.0.0.1")
    .option(
      "--port <n>",
      "port to listen at; 0 for any that is free",
      integer({ min: 0, max: 65535 }),
      8765,
    )
    .option(
      "--allow-remote <name>",
      "name by which other machines reach this one, for a --host that is not its own alone",
    )
    .option("--no-live", "show what is recorded; never run the model for visitors")
    .option("--index-only", "build the index and end");
}

/** What the options are parsed to. */
export type ExploreOptions = ReturnType<ReturnType<typeof exploreCommand>["opts"]>;

/** Does what the options of `explore` say. */
export async function explore(options: ExploreOptions): Promise<void> {
  checkListening(options);
  if (!options.indexOnly) checkPort(options);
  const live = options.live ||
    "The model is not run here: the explorer was started with --no-live.";
  using explorer = await openExplorer(options, live);
  if (!options.indexOnly) await serveExplorer(explorer.backend, options);
}
