/** The script and the style sheet of the pages. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { bundledScript } from "../../cli/bundle.ts";
import { readText } from "../../data/files.ts";

const STYLE = fileURLToPath(new URL("../pages/explorer.css", import.meta.url));

/** A file that is served as it is. */
export interface Asset {
  /** Has the content's hash in it: what is kept by browsers is never old. */
  readonly path: string;
  readonly type: string;
  readonly content: string;
}

/** All that a page loads. */
export interface Assets {
  readonly script: Asset;
  readonly style: Asset;
}

/**
 * Bundles the pages.
 *
 * @throws InputError where they cannot be bundled
 */
export async function bundleAssets(): Promise<Assets> {
  const script = await bundledScript(new URL("../pages/client.ts", import.meta.url), "esm");
  return {
    script: asset("js", "text/javascript; charset=utf-8", script),
    style: asset("css", "text/css; charset=utf-8", await readText(STYLE)),
  };
}

function asset(extension: string, type: string, content: string): Asset {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return { path: `/assets/explorer-${hash}.${extension}`, type, content };
}
