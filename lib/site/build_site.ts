/** build-site: the explorer as files that any web server hands out, with the model in the browser. */
import { resolve } from "node:path";
import explorerCss from "../explore/pages/explorer.css" with { type: "text" };
import paletteCss from "../figures/palette.css" with { type: "text" };
import { type Progress, progress } from "../cli/progress.ts";
import { codeHash, timesSince, versions } from "../data/manifest.ts";
import type { Overview } from "../explore/backend.ts";
import type { LapeResult } from "../lape/lape_json.ts";
import type { ModelOptions } from "../session/options.ts";
import { userAccess } from "../subject/access.ts";
import { siteScripts } from "./bundles.ts";
import type { EngineFiles } from "./engine_files.ts";
import { PATHS } from "./layout.ts";
import { modelFiles } from "./model_files.ts";
import { sitePage } from "./page.ts";
import { record, type Recorded } from "./record.ts";
import siteCss from "./site.css" with { type: "text" };
import { integrity, SiteFolder } from "./site_folder.ts";

/** What a site is made of. */
export interface SiteOptions extends ModelOptions {
  /** Where it is written; whoever asks for it has claimed the folder. */
  readonly siteDir: string;
  /** Latents that belong to no language: with them or without; up to {@linkcode FEW} with them. */
  readonly latents?: "identified" | "all";
  /** Contexts per language of a language-specific feature. */
  readonly contexts: number;
  /** Most bytes of model and SAEs. */
  readonly mostWeights: number;
}

/** A site that was written. */
export interface Site {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes of the model and its SAEs, as visitors who try a text fetch them. */
  readonly weights: number;
  /** Whether the model is in it; else why not. */
  readonly live: true | string;
}

/** Latents up to which all of them get pages. */
const FEW = 50_000;

/** Rooms whose code decides what a site is. */
const ROOMS = ["kernels", "lib/gpu", "lib/nn", "lib/sae", "lib/steer", "lib/explore", "lib/site"];

/**
 * Writes a site of what a backend answers.
 *
 * @param backend over results, e.g. the explorer's own
 * @param features of the results
 * @param provenance of the results, for run.json
 * @throws InputError for a folder or a model that cannot be used
 */
export async function buildSite(
  backend: Recorded,
  features: LapeResult,
  options: SiteOptions,
  provenance: Readonly<Record<string, unknown>> = {},
): Promise<Site> {
  const started = new Date();
  const path = resolve(options.siteDir);
  const found = await modelFiles(options, options.mostWeights, userAccess());
  const live = typeof found === "string" ? found : true;
  const folder = await SiteFolder.open(path);
  await recordResults(backend, folder, options, live);
  const before = folder.bytes;
  const hashes = typeof found === "string" ? {} : await folder.copy(found.files);
  const weights = folder.bytes - before;
  if (typeof found !== "string") {
    const engine: EngineFiles = { model: found.model, saes: found.saes, features };
    const json = JSON.stringify(engine);
    await folder.write(PATHS.engine, json);
    Object.assign(hashes, { [PATHS.engine]: integrity(json) });
  }
  await writePage(folder, await backend.overview(), JSON.stringify(hashes));
  await folder.finish({
    ...{ options, live, weights, ...provenance },
    code: { sha256: await codeHash(ROOMS) },
    versions: versions(),
    ...timesSince(started),
  });
  return { folder: path, files: folder.files, bytes: folder.bytes, weights, live };
}

async function recordResults(
  backend: Recorded,
  folder: SiteFolder,
  { latents, contexts }: SiteOptions,
  live: true | string,
): Promise<void> {
  const { layers } = await backend.overview();
  const total = layers.reduce((sum, layer) => sum + layer.latents, 0);
  const allLatents = latents === undefined ? total <= FEW : latents === "all";
  const write = (path: string, content: string) => folder.write(path, content);
  let shown: Progress | undefined;
  try {
    await record(backend, write, { allLatents, contexts, live }, (done, total) => {
      shown ??= progress({ label: "writing pages", total, unit: "latents" });
      shown.update(done);
    });
  } finally {
    shown?.done();
  }
}

async function writePage(folder: SiteFolder, overview: Overview, hashes: string): Promise<void> {
  const { app, worker } = await siteScripts();
  await folder.write("app.js", app);
  await folder.write("worker.js", worker);
  const style = paletteCss + explorerCss + siteCss;
  await folder.write("style.css", style);
  await folder.write("hashes.json", hashes);
  await folder.write(
    "index.html",
    sitePage(`${overview.model} – babelscope`, {
      app: integrity(app),
      worker: integrity(worker),
      style: integrity(style),
      hashes: integrity(hashes),
    }),
  );
}
