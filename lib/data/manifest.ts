/** What `run.json` says of a run: of the program that made it, and how it is written. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { listFolder, readBytes, writeAtomic } from "./files.ts";

const PROJECT_ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SOURCE = /\.(ts|wgsl)$/;
const TEST = /_test\.ts$/;

/** Versions of the program and of what runs it. */
export interface Versions {
  readonly babelscope: string;
  readonly deno: string;
  readonly v8: string;
  readonly typescript: string;
}

/** Versions of this program and of what runs it. */
export function versions(): Versions {
  return { babelscope: config.version, ...Deno.version };
}

/**
 * SHA-256, in hexadecimal, over the sources (.ts and .wgsl, tests left out) of these folders of the
 * project and of the folders in them: results with the same hash come from the same code.
 *
 * @param rooms folders relative to the project's root, e.g. `["kernels", "lib/nn"]`; order and
 *   repetition do not matter
 * @param root folder of the project
 * @throws InputError when a folder or file cannot be read
 */
export async function codeHash(rooms: readonly string[], root = PROJECT_ROOT): Promise<string> {
  const sources = await Promise.all(rooms.map((room) => sourcesIn(root, room)));
  const hash = createHash("sha256");
  for (const path of [...new Set(sources.flat())].sort()) {
    const bytes = await readBytes(join(root, path));
    hash.update(`${path}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

/**
 * Writes a manifest as indented JSON, atomically.
 *
 * @throws InputError when the path cannot be written
 */
export async function writeManifest(path: string, value: unknown): Promise<void> {
  await writeAtomic(path, JSON.stringify(value, null, 2) + "\n");
}

/** What a manifest says of time: when a run was started, and the seconds since. */
export function timesSince(started: Date): { readonly started: string; readonly seconds: number } {
  return { started: started.toISOString(), seconds: (Date.now() - started.getTime()) / 1000 };
}

/** Paths of the sources in a folder and the folders in it, relative to `root`. */
async function sourcesIn(root: string, room: string): Promise<string[]> {
  const names = await listFolder(join(root, room));
  const paths = await Promise.all(names.map(async (name) => {
    const path = join(room, name);
    const { isDirectory } = await Deno.stat(join(root, path));
    if (isDirectory) return sourcesIn(root, path);
    return SOURCE.test(name) && !TEST.test(name) ? [path] : [];
  }));
  return paths.flat();
}
