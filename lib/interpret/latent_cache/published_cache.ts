/**
 * Caches that another program wrote (spec train-and-interpret B.2): nothing tells what their activations
 * depend on, and they can be dear, so they are taken as they are and never made anew unasked.
 */
import { z } from "zod";
import { isFile } from "../../data/file_tree.ts";
import { readJson } from "../../data/files.ts";
import { openSafetensorsFile } from "../../data/safetensors_files.ts";
import type { TokenRows } from "../../data/token_rows.ts";
import { configPath } from "./cache_config.ts";
import { openLatentCache } from "./open_cache.ts";

const Published = z.record(z.string(), z.unknown());

/** What another program left. */
export interface PublishedCache extends Disposable {
  /** The token matrix. */
  readonly tokens: TokenRows;
  /** Activations of the hookpoints that were asked for. */
  readonly entries: number;
  /** Options that it was made with, as its config.json has them. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Opens the cache of a run folder, where another program wrote some of it.
 *
 * @param hookpoints those that are going to be read
 * @returns undefined where none of them is another program's
 * @throws InputError when one is, but not all of them are there and whole
 */
export async function openPublishedCache(
  folder: string,
  hookpoints: readonly string[],
): Promise<PublishedCache | undefined> {
  const config = await firstPublished(folder, hookpoints);
  if (!config) return undefined;
  using undo = new DisposableStack();
  const cache = undo.use(await openLatentCache(folder, hookpoints));
  let entries = 0;
  for (const { path } of hookpoints.flatMap((hookpoint) => cache.splits(hookpoint))) {
    using tensors = await openSafetensorsFile(path);
    entries += tensors.info("activations").shape[0];
  }
  const owned = undo.move();
  return { tokens: cache.tokens, entries, config, [Symbol.dispose]: () => owned.dispose() };
}

/** The first config.json without this program's part. */
async function firstPublished(
  folder: string,
  hookpoints: readonly string[],
): Promise<Readonly<Record<string, unknown>> | undefined> {
  for (const hookpoint of hookpoints) {
    const path = configPath(folder, hookpoint);
    if (!await isFile(path)) continue;
    const { data } = Published.safeParse(await readJson(path));
    if (data && !("babelscope" in data)) return data;
  }
}
