/** The script and the style sheet of the pages. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { bundledScript } from "../../cli/bundle.ts";
import { readText } from "../../data/files.ts";

const STYLES = ["../../figures/palette.css", "../pages/explorer.css"]
  .map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** All that a page loads beside its answers. */
export interface Assets {
  readonly script: {
    /** Has the content's hash in it: what is kept by browsers is never old. */
    readonly path: string;
    readonly content: string;
  };
  /** Stands in the page itself: nothing is painted before it is there. */
  readonly style: {
    readonly content: string;
    /** What the policy allows it by. */
    readonly source: string;
  };
}

/**
 * Bundles the pages.
 *
 * @throws InputError where they cannot be bundled
 */
export async function bundleAssets(): Promise<Assets> {
  const script = await bundledScript(new URL("../pages/client.ts", import.meta.url), "esm");
  const style = (await Promise.all(STYLES.map(readText))).join("");
  const hash = createHash("sha256").update(script).digest("hex").slice(0, 16);
  return {
    script: { path: `/assets/explorer-${hash}.js`, content: script },
    style: { content: style, source: styleSource(style) },
  };
}

/** A source of the policy for one style sheet. */
export function styleSource(style: string): string {
  return `'sha256-${createHash("sha256").update(style).digest("base64")}'`;
}
