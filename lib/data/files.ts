/**
 * Files: reading and writing whole ones, and tensors by row ranges. Whatever goes wrong with a file
 * is said in one sentence that names it; nothing is ever left half-written under its own name.
 */

import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import {
  columnRange,
  headerLength,
  parseHeader,
  rowRange,
  type SafetensorsHeader,
  tensorInfo,
  type TensorSource,
} from "../formats/safetensors.ts";

/** Tensors in open files; dispose (or `using`) closes them. */
export type OpenTensors = TensorSource & Disposable;

/** Single-file and sharded names of a checkpoint in Hugging Face layout. */
const CHECKPOINT = "model.safetensors";
const CHECKPOINT_INDEX = "model.safetensors.index.json";

/**
 * Writes a file so that, whenever the program stops, its path holds the old content or the new one,
 * never a part. Missing folders are made.
 *
 * @throws InputError when the path cannot be written
 */
export async function writeAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const part = `${path}.${crypto.randomUUID()}.part`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await writeDurably(part, bytes);
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
    throw new InputError(`${path} is not JSON (${(error as Error).message}); fetch it again.`);
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
 * Opens a safetensors file for reading by row ranges; the file is never loaded whole.
 *
 * @throws InputError when it cannot be read or is not a valid safetensors file
 */
export async function openSafetensors(path: string): Promise<OpenTensors> {
  let file: Deno.FsFile | undefined;
  try {
    file = await Deno.open(path);
    const { size } = await file.stat();
    const prefix = await readAt(file, 0, Math.min(8, size));
    const length = headerLength(prefix, size, path);
    const header = parseHeader(await readAt(file, 0, 8 + length), size, path);
    return new FileTensors(file, header, path);
  } catch (error) {
    file?.close();
    throw unreadable(path, error);
  }
}

/**
 * Opens a checkpoint in Hugging Face layout: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` names.
 *
 * @throws InputError when neither is there, or any file of it is not as it should be
 */
export async function openSafetensorsFolder(folder: string): Promise<OpenTensors> {
  const names = await listFolder(folder);
  if (names.includes(CHECKPOINT)) return openSafetensors(join(folder, CHECKPOINT));
  if (names.includes(CHECKPOINT_INDEX)) return openShards(folder);
  throw new InputError(
    `${folder} holds no weights: expected ${CHECKPOINT} or ${CHECKPOINT_INDEX}, ` +
      `found ${names.join(", ") || "nothing"}; convert other formats to safetensors.`,
  );
}

/** Tensors of one file. Reads take turns, since they share the file's position. */
class FileTensors implements OpenTensors {
  readonly metadata: SafetensorsHeader["metadata"];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly file: Deno.FsFile,
    readonly header: SafetensorsHeader,
    readonly path: string,
  ) {
    this.metadata = header.metadata;
  }

  names() {
    return [...this.header.tensors.keys()];
  }

  info(name: string) {
    return tensorInfo(this.header.tensors, name, this.path);
  }

  async read(name: string, rowStart?: number, rowEnd?: number) {
    const { begin, end } = rowRange(name, this.info(name), rowStart, rowEnd);
    const { dataStart } = this.header;
    const bytes = this.#turn.then(() => readAt(this.file, dataStart + begin, dataStart + end));
    this.#turn = bytes.catch(() => {});
    try {
      return await bytes;
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  async readColumns(name: string, from: number, to: number) {
    const { rows, begin, bytes, stride } = columnRange(name, this.info(name), from, to);
    const start = this.header.dataStart + begin;
    const block = new Uint8Array(rows * bytes);
    const read = this.#turn.then(async () => {
      for (let row = 0; row < rows; row++) {
        const piece = block.subarray(row * bytes, (row + 1) * bytes);
        await readInto(this.file, start + row * stride, piece);
      }
      return block;
    });
    this.#turn = read.catch(() => {});
    try {
      return await read;
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  [Symbol.dispose]() {
    this.file.close();
  }
}

async function openShards(folder: string): Promise<OpenTensors> {
  const index = join(folder, CHECKPOINT_INDEX);
  const shardOf = weightMap(await readJson(index), index);
  using opened = new DisposableStack();
  const shards = new Map<string, OpenTensors>();
  for (const file of new Set(shardOf.values())) {
    shards.set(file, opened.use(await openSafetensors(join(folder, file))));
  }
  // the index must not promise what a shard lacks
  for (const [name, file] of shardOf) shards.get(file)!.info(name);
  return new ShardedTensors(shardOf, shards, index, opened.move());
}

/** Tensors of several files, found through the index. */
class ShardedTensors implements OpenTensors {
  readonly metadata = Object.create(null) as Record<string, string>;

  constructor(
    readonly shardOf: ReadonlyMap<string, string>,
    readonly shards: ReadonlyMap<string, OpenTensors>,
    readonly index: string,
    readonly opened: DisposableStack,
  ) {}

  names() {
    return [...this.shardOf.keys()];
  }

  info(name: string) {
    return this.#shard(name).info(name);
  }

  // async, so that a bad name rejects instead of throwing
  // deno-lint-ignore require-await
  async read(name: string, rowStart?: number, rowEnd?: number) {
    return this.#shard(name).read(name, rowStart, rowEnd);
  }

  // deno-lint-ignore require-await
  async readColumns(name: string, from: number, to: number) {
    return this.#shard(name).readColumns(name, from, to);
  }

  [Symbol.dispose]() {
    this.opened.dispose();
  }

  #shard(name: string): OpenTensors {
    const file = this.shardOf.get(name);
    if (file !== undefined) return this.shards.get(file)!;
    throw new InputError(
      `${this.index} names no tensor ${JSON.stringify(name)} among its ${this.shardOf.size}; ` +
        `check that this is the right checkpoint for this model.`,
    );
  }
}

/** Shard file of each tensor. A shard lies beside its index: names with folders are refused. */
function weightMap(value: unknown, where: string): Map<string, string> {
  const map = (value as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new InputError(`${where} has no weight_map from tensors to files; fetch it again.`);
  }
  for (const [name, file] of Object.entries(map)) {
    const safe = typeof file === "string" && file === basename(file) && !/[\\\0]/.test(file) &&
      file.endsWith(".safetensors");
    if (safe) continue;
    const named = typeof file === "string" ? JSON.stringify(file) : typeof file;
    throw new InputError(
      `${where} places tensor ${JSON.stringify(name)} in ${named}, expected the ` +
        `name of a .safetensors file beside it; fetch it again.`,
    );
  }
  return new Map(Object.entries(map));
}

async function readAt(
  file: Deno.FsFile,
  begin: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - begin);
  await readInto(file, begin, bytes);
  return bytes;
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

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
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
