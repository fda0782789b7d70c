/** The script of the page, bundled from lib/report/client. */
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("client/page.ts", import.meta.url));

/**
 * The page's script as one text, safe to stand between script tags.
 *
 * @throws Error where it cannot be bundled: the bundler is fetched at its first use
 */
export async function pageScript(): Promise<string> {
  const { success, errors, outputFiles } = await Deno.bundle({
    entrypoints: [ENTRY],
    platform: "browser",
    format: "iife",
    minify: true,
    write: false,
  });
  if (!success || !outputFiles) throw new Error(errors[0]?.text ?? "nothing was bundled");
  return outputFiles[0].text().replace(/<(?=\/script|!--)/gi, "\\x3c");
}
