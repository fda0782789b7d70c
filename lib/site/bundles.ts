/** The scripts of a site. */
import { bundledScript } from "../cli/bundle.ts";

/** Of the page, and of the worker that the model runs in. */
export interface SiteScripts {
  readonly app: string;
  readonly worker: string;
}

/** @throws InputError where they cannot be bundled */
export async function siteScripts(): Promise<SiteScripts> {
  return { app: await bundled("app.ts", "esm"), worker: await bundled("worker.ts", "iife") };
}

function bundled(entry: string, format: "esm" | "iife"): Promise<string> {
  return bundledScript(new URL(entry, import.meta.url), format);
}
