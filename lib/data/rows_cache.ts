/** Texts taken from a hub, kept so that a second run needs no network. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { writeAtomic } from "./files.ts";

/** What rows depend on; rows of the same key are the same for ever, since commits are. */
export type RowsKey = Readonly<Record<string, unknown>>;

const Stored = z.object({ key: z.string(), value: z.unknown() });

/**
 * A value that was kept under this key, as `kept` describes it; undefined if there is none. A file
 * that is damaged counts as none: its rows are taken again.
 */
export async function recall<T>(
  folder: string,
  key: RowsKey,
  kept: z.ZodType<T>,
): Promise<T | undefined> {
  try {
    const stored = Stored.parse(JSON.parse(await Deno.readTextFile(pathOf(folder, key))));
    return stored.key === JSON.stringify(key) ? kept.parse(stored.value) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

/** Keeps a value. A folder that cannot be written is no cache, not an error. */
export async function keep(folder: string, key: RowsKey, value: unknown): Promise<void> {
  try {
    const text = JSON.stringify({ key: JSON.stringify(key), value });
    await writeAtomic(pathOf(folder, key), text);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}

function pathOf(folder: string, key: RowsKey): string {
  const hash = createHash("sha256").update(JSON.stringify(key)).digest("hex");
  return join(folder, `${hash}.json`);
}
