/** The pass over the model that everything else rests on: activations of the latents in question. */
import { join } from "node:path";
import { progress } from "../cli/progress.ts";
import { writeManifest } from "../data/manifest.ts";
import { readJson } from "../data/files.ts";
import { isFile } from "../data/file_tree.ts";
import type { TokenRows } from "../data/token_rows.ts";
import type { RunningModel, Session } from "../session/session.ts";
import { cacheLatents } from "../interpret/latent_cache/cache_latents.ts";
import type { CacheSummary, LatentsByHookpoint } from "../interpret/latent_cache/cache_options.ts";
import type { InterpretOptions } from "./options.ts";

/** What the pass is made with. */
export interface Pass {
  readonly folder: string;
  readonly session: Session;
  readonly rows: TokenRows;
  /** All, if not given. */
  readonly wanted: LatentsByHookpoint | undefined;
  /** Hash of the code that computes activations. */
  readonly code: string;
  /** The published cache options. */
  readonly config: Readonly<Record<string, unknown>>;
  openModel(): Promise<RunningModel>;
}

/** A pass that is done, by this run or an earlier one. */
export interface PassDone extends CacheSummary {
  /** Adapter that it was made on; undefined where nobody noted it. */
  readonly adapter: string | undefined;
}

/**
 * Reads activations into `latents/`, where no earlier run has; a pass that was stopped goes on.
 *
 * @throws InputError when the model cannot be run, or files cannot be written
 */
export async function readActivationsOnce(
  { folder, session, rows, wanted, code, config, openModel }: Pass,
  { nSplits, compat }: InterpretOptions,
): Promise<PassDone> {
  const { subject: { targets, hashes, modelName } } = session;
  const note = join(folder, "log", "pass.json");
  const tokens = rows.rows * rows.contextLength;
  const shown = progress({ label: "reading activations", total: tokens, unit: "tokens" });
  try {
    const summary = await cacheLatents(
      openModel,
      targets.filter(({ hookpoint }) => !wanted || wanted.has(hookpoint.name)),
      rows,
      { folder, wanted, nSplits, config, modelName, identity: { code, hashes }, compat },
      ({ rowsDone }) => shown.update(rowsDone * rows.contextLength),
    );
    if (!summary.known) {
      const { adapter } = await session.openGpu();
      await writeManifest(note, { adapter, rows: rows.rows, tokens });
    }
    return { ...summary, adapter: await adapterIn(note) };
  } finally {
    shown.done();
  }
}

async function adapterIn(path: string): Promise<string | undefined> {
  if (!await isFile(path)) return undefined;
  const { adapter } = await readJson(path) as { adapter?: unknown };
  return typeof adapter === "string" ? adapter : undefined;
}
