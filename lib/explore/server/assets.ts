/** The script and the style sheet of the pages. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { readText } from "../../data/files.ts";

const CLIENT = fileURLToPath(new URL("../pages/client.ts", import.meta.url));
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

/** Bundles the pages. */
export async function bundleAssets(): Promise<Assets> {
  const bundle = await Deno.bundle({
    entrypoints: [CLIENT],
    platform: "browser",
    minify: true,
    write: false,
  });
  const script = bundle.outputFiles?.[0]?.text();
  if (!bundle.success || script === undefined) {
    throw new Error(`the pages do not bundle: ${JSON.stringify(bundle.errors)}`);
  }
  return {
    script: asset("js", "text/javascript; charset=utf-8", script),
    style: asset("css", "text/css; charset=utf-8", await readText(STYLE)),
  };
}

function asset(extension: string, type: string, content: string): Asset {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return { path: `/assets/explorer-${hash}.${extension}`, type, content };
}
