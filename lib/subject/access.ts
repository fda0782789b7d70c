/** How models and SAEs are reached: the hub they come from, and what is remembered of their files. */
import { join } from "node:path";
import { cachedBytes } from "../cli/cache.ts";
import { showDownload } from "../cli/downloads.ts";
import { FileHasher } from "../data/file_hashes.ts";
import { Hub, hubOptionsFromEnvironment } from "../data/hub/hub.ts";
import { PATIENCE } from "../data/hub/patience.ts";

/** The outside world, as far as opening models, SAEs and texts needs it. */
export interface Access {
  /** The hub; opened on the first call. */
  hub(): Hub;
  readonly hasher: FileHasher;
}

/** The user's hub and caches, as the environment names them. */
export function userAccess(): Access {
  let hub: Hub | undefined;
  return {
    hub: () => hub ??= new Hub({ ...hubOptionsFromEnvironment(), progress: showDownload() }),
    hasher: new FileHasher(cachedBytes()),
  };
}

/** The same for a look ahead, which is no use if it takes long: the hub is asked twice at most. */
export function impatientAccess(): Access {
  const patience = { ...PATIENCE, delays: PATIENCE.delays.slice(0, 1) };
  let hub: Hub | undefined;
  return {
    hub: () => hub ??= new Hub({ ...hubOptionsFromEnvironment(), patience }),
    hasher: new FileHasher(cachedBytes()),
  };
}

/** SHA-256 of every file that decides what is counted, by its name. */
export type FileHashes = Readonly<Record<string, string>>;

/** Hashes files of a folder, under their paths in it behind `prefix`. */
export async function hashFiles(
  { hasher }: Access,
  folder: string,
  paths: readonly string[],
  prefix = "",
): Promise<FileHashes> {
  const hashes: Record<string, string> = {};
  for (const path of paths) hashes[prefix + path] = await hasher.sha256(join(folder, path));
  return hashes;
}
