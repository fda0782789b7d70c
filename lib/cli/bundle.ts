/** Scripts for browsers, bundled from this checkout's TypeScript. */
import { fileURLToPath } from "node:url";
import { InputError } from "../formats/input_error.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/**
 * A module and all that it imports as one script.
 *
 * @param format "iife" for a script that stands in a page or a worker, "esm" for a module
 * @throws InputError where it cannot be bundled: the bundler is fetched at its first use, and finds
 *   packages only where Deno was told of this checkout's deno.json
 */
export async function bundledScript(entry: URL, format: "iife" | "esm"): Promise<string> {
  const { success, errors, outputFiles } = await Deno.bundle({
    entrypoints: [fileURLToPath(entry)],
    platform: "browser",
    format,
    minify: true,
    write: false,
  });
  const script = outputFiles?.[0]?.text();
  if (success && script !== undefined) return script;
  const reason = errors[0]?.text ?? "nothing was bundled";
  throw new InputError(
    /not a dependency/.test(reason)
      ? `The scripts of pages are bundled only where Deno knows this checkout's deno.json; run it by ` +
        `"babelscope", or give deno --config ${CONFIG}.`
      : `The scripts of pages cannot be bundled (${reason}); the bundler is fetched from npm at its ` +
        `first use.`,
  );
}
