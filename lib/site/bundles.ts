/** The scripts of a site. */
import { fileURLToPath } from "node:url";

/** Of the page, and of the worker that the model runs in. */
export interface SiteScripts {
  readonly app: string;
  readonly worker: string;
}

/** @throws Error where they cannot be bundled: the bundler is fetched at its first use */
export async function siteScripts(): Promise<SiteScripts> {
  return { app: await bundled("app.ts", "esm"), worker: await bundled("worker.ts", "iife") };
}

async function bundled(entry: string, format: "esm" | "iife"): Promise<string> {
  const { success, errors, outputFiles } = await Deno.bundle({
    entrypoints: [fileURLToPath(new URL(entry, import.meta.url))],
    platform: "browser",
    ...{ format, minify: true, write: false },
  });
  if (!success || !outputFiles) throw new Error(errors[0]?.text ?? "nothing was bundled");
  return outputFiles[0].text();
}
