/**
 * Files: reading and writing them. Whatever goes wrong with one is said in one sentence that names
 * it; nothing is ever left half-written under its own name.
 */

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { InputError } from "../formats/input_error.ts";

/**
 * Writes a file so that, whenever the program stops, its path holds the old content or the new one,
 * never a part. Missing folders are made.
 *
 * @param content of a large file, piece by piece
 * @throws InputError when the path cannot be written
 */
export async function writeAtomic(
  path: string,
  content: Uint8Array | string | AsyncIterable<Uint8Array>,
): Promise<void> {
  const part = `${path}.${crypto.randomUUID()}.part`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await writeDurably(part, content);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw unwritable(path, error);
  }
}

/**
 * Makes a folder that is not there, and makes sure that files can be written into it: before hours
 * of work, not after.
 *
 * @throws InputError when they cannot
 */
export async function prepareFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir: path, suffix: ".part" }));
  } catch (error) {
    throw unwritable(path, error);
  }
}

/**
 * The bytes of a file.
 *
 * @throws InputError when it cannot be read
 */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * The text of a file.
 *
 * @throws InputError when it cannot be read or is not UTF-8
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${path} is not text in UTF-8; convert it to UTF-8.`);
  }
}

/**
 * The value of a JSON file.
 *
 * @throws InputError when it cannot be read or is not JSON
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `${path} is not JSON (${(error as Error).message}); mend it or fetch it again.`,
    );
  }
}

/**
 * SHA-256 of a file in hexadecimal, read in pieces.
 *
 * @throws InputError when it cannot be read
 */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readChunks(path)) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * The bytes of a file, piece by piece.
 *
 * @throws InputError when it cannot be read
 */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(1 << 18);
    for (let n; (n = await file.read(buffer)) !== null;) yield buffer.slice(0, n);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * Names of the entries of a folder, sorted.
 *
 * @throws InputError when there is no such folder
 */
export async function listFolder(path: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(path));
    return entries.map(({ name }) => name).sort();
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * Fills `bytes` with what the file holds from `begin` on.
 *
 * @throws Error when the file ends before
 */
export async function readInto(
  file: Deno.FsFile,
  begin: number,
  bytes: Uint8Array,
): Promise<void> {
  await file.seek(begin, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const n = await file.read(bytes.subarray(at));
    if (n === null) throw new Error(`it ends before byte ${begin + bytes.length}`);
    at += n;
  }
}

async function writeDurably(
  path: string,
  content: Uint8Array | string | AsyncIterable<Uint8Array>,
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const whole = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for await (const piece of whole instanceof Uint8Array ? [whole] : whole) {
    for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
  }
  await file.syncData();
}

function unwritable(path: string, error: unknown): Error {
  if (isMissingFlag(error)) return error;
  return new InputError(
    `Cannot write ${path}: ${reason(error)}; choose a place that can be written.`,
  );
}

/** What to throw when reading `path` failed with `error`: one sentence, unless it says so itself. */
export function unreadable(path: string, error: unknown): Error {
  if (error instanceof InputError || isMissingFlag(error)) return error;
  return new InputError(`Cannot read ${path}: ${reason(error)}; check the path.`);
}

/** A permission that the script can be given; the step's last words say how. */
function isMissingFlag(error: unknown): error is Error {
  return error instanceof Deno.errors.NotCapable && !error.message.includes("--allow-all");
}

/** Why the system refused, in words, without the system's own mention of the path. */
function reason(error: unknown): string {
  const reasons: [abstract new () => Error, string][] = [
    [Deno.errors.NotFound, "it does not exist"],
    [Deno.errors.PermissionDenied, "permission denied"],
    [Deno.errors.NotCapable, "Deno keeps programs out of there"],
    [Deno.errors.IsADirectory, "it is a folder"],
    [Deno.errors.AlreadyExists, "a file is in the place of a folder"],
    [Deno.errors.NotADirectory, "a part of the path is a file, not a folder"],
  ];
  const known = reasons.find(([type]) => error instanceof type);
  return known?.[1] ?? (error as Error).message.split("\n")[0];
}
