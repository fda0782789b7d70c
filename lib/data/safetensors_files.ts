/** Safetensors files and checkpoints of several as open tensors. */

import { basename, join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { listFolder, readJson } from "./files.ts";
import { type OpenTensors, openTensors } from "./opened_tensors.ts";

/** Single-file and sharded names of a checkpoint in Hugging Face layout. */
const CHECKPOINT = "model.safetensors";
const CHECKPOINT_INDEX = "model.safetensors.index.json";

/**
 * Opens a safetensors file for reading by row or column ranges; the file is never loaded whole.
 * Dispose (or `using`) closes it.
 *
 * @throws InputError when it cannot be read or is not a valid safetensors file
 */
export async function openSafetensorsFile(path: string): Promise<OpenTensors> {
  return await openTensors(path, (file) => openSafetensors(file, path));
}

/**
 * Opens a checkpoint in Hugging Face layout: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` names.
 *
 * @throws InputError when neither is there, or any file of it is not as it should be
 */
export async function openSafetensorsFolder(folder: string): Promise<OpenTensors> {
  const names = await listFolder(folder);
  if (names.includes(CHECKPOINT)) return openSafetensorsFile(join(folder, CHECKPOINT));
  if (names.includes(CHECKPOINT_INDEX)) return openShards(folder);
  throw new InputError(
    `${folder} holds no weights: expected ${CHECKPOINT} or ${CHECKPOINT_INDEX}, ` +
      `found ${names.join(", ") || "nothing"}; convert other formats to safetensors.`,
  );
}

async function openShards(folder: string): Promise<OpenTensors> {
  const index = join(folder, CHECKPOINT_INDEX);
  const shardOf = weightMap(await readJson(index), index);
  using opened = new DisposableStack();
  const shards = new Map<string, OpenTensors>();
  for (const file of new Set(shardOf.values())) {
    shards.set(file, opened.use(await openSafetensorsFile(join(folder, file))));
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
