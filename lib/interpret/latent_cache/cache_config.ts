/**
 * `latents/<hookpoint>/config.json`: written last, so where it is, the hookpoint is whole (spec
 * train-and-interpret B.2). It holds what the published program writes, and what this program goes by.
 */
import { join } from "node:path";
import { z } from "zod";
import { isFile } from "../../data/file_tree.ts";
import { readJson, writeAtomic } from "../../data/files.ts";

/** What this program says of a hookpoint's files. */
const OwnConfig = z.object({
  /** SHA-256 of what decides the activations. */
  identity: z.string(),
  /** Latents that are kept, ascending; null: all. */
  latents: z.array(z.int().nonnegative()).nullable(),
  /** Activations in all files. */
  entries: z.int().nonnegative(),
});
const Config = z.object({ babelscope: OwnConfig });

/** What is known of a hookpoint's files beside their content. */
export type HookpointConfig = z.infer<typeof OwnConfig>;

/** Folder of a hookpoint's files. */
export function hookpointFolder(folder: string, hookpoint: string): string {
  return join(folder, "latents", hookpoint);
}

/** Path of a hookpoint's config.json. */
export function configPath(folder: string, hookpoint: string): string {
  return join(hookpointFolder(folder, hookpoint), "config.json");
}

/** Writes a hookpoint's config.json, which makes it whole. */
export async function writeConfig(
  folder: string,
  hookpoint: string,
  published: Readonly<Record<string, unknown>>,
  own: HookpointConfig,
): Promise<void> {
  const text = JSON.stringify({ ...published, babelscope: own }, null, 4);
  await writeAtomic(configPath(folder, hookpoint), `${text}\n`);
}

/** What this program wrote of a hookpoint; undefined where it is not whole, or another program's. */
export async function readOwnConfig(
  folder: string,
  hookpoint: string,
): Promise<HookpointConfig | undefined> {
  const path = configPath(folder, hookpoint);
  if (!await isFile(path)) return undefined;
  return Config.safeParse(await readJson(path)).data?.babelscope;
}
