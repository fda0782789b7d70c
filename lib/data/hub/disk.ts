/** The disk of a cache: whether it has room, and why it refuses. */

import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../../formats/input_error.ts";

/** @throws InputError when the disk of `folder` has no room for so many bytes more */
export async function checkSpace(folder: string, needed: number): Promise<void> {
  const free = await freeBytes(folder);
  if (needed <= free) return;
  throw new InputError(
    `The files need ${gigabytes(needed)} and the disk of the cache ${folder} has ` +
      `${gigabytes(free)} left; make room, or set HF_HUB_CACHE to a folder on another disk.`,
  );
}

/** Bytes left for this user on the disk of a folder that may be yet to come; Infinity if unknown. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const isMissing = (error as { code?: unknown }).code === "ENOENT";
    return isMissing && dirname(folder) !== folder ? freeBytes(dirname(folder)) : Infinity;
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/**
 * Does work in a cache.
 *
 * @throws InputError when the system refuses it
 */
export async function onDisk<T>(cache: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusedByDisk(cache, error);
  }
}

function refusedByDisk(cache: string, error: unknown): unknown {
  const { code } = error as { code?: unknown };
  const isSystems = typeof code === "string" && /^E[A-Z0-9]+$/.test(code);
  if (!isSystems || error instanceof Deno.errors.NotCapable) return error;
  return new InputError(
    ["ENOSPC", "EDQUOT"].includes(code)
      ? `The disk of the cache ${cache} is full; make room and run the same command again to go ` +
        `on from there, or set HF_HUB_CACHE to a folder on another disk.`
      : `Cannot use the cache ${cache} (${systemReason(error)}); set HF_HUB_CACHE to a folder ` +
        `that can be written.`,
  );
}

/** The system's words, without its number and the path. */
function systemReason(error: unknown): string {
  return (error as Error).message.split("\n")[0]!.replace(/ \(os error .*$/, "");
}
