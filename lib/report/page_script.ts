/** The script of the page, bundled from lib/report/client. */
import { bundledScript } from "../cli/bundle.ts";

/**
 * The page's script as one text, safe to stand between script tags.
 *
 * @throws InputError where it cannot be bundled
 */
export async function pageScript(): Promise<string> {
  const script = await bundledScript(new URL("client/page.ts", import.meta.url), "iife");
  return script.replace(/<(?=\/script|!--)/gi, "\\x3c");
}
