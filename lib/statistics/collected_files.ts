/**
 * TopK entries on disk (stage 1, spec section 2): one safetensors file per hookpoint and range of
 * rows, `<hookpoint>.<first row>-<past last row>.safetensors` in the folder of a data set and
 * language. Every file says what it was made from, so that none is read twice or beside a stranger
 * (quirk 4).
 *
 * Tensors: `top_acts` F32 [tokens, k] and `top_indices` U32 [tokens, k], values descending, slots of
 * value 0 included; `row_offsets` U32 [texts + 1], first token of each text; `rows` U32 [texts].
 */
import { join } from "node:path";
import { listFolder, readBytes, writeAtomic } from "../data/files.ts";
import { isFolder } from "../data/file_tree.ts";
import { openSafetensorsFile } from "../data/safetensors_files.ts";
import type { Dtype } from "../formats/dtype.ts";
import { InputError } from "../formats/input_error.ts";
import { encodeSafetensors, fromBytes } from "../formats/safetensors.ts";
import type { TensorSource } from "../formats/tensor_source.ts";

/** Entries of some texts at one hookpoint. */
export interface CollectedShard {
  /** Slots per token. */
  readonly k: number;
  /** Row of each text in its corpus. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** [texts + 1]: text `i` has tokens `rowOffsets[i]` to `rowOffsets[i + 1]`; token 0 of each is BOS. */
  readonly rowOffsets: Uint32Array<ArrayBuffer>;
  /** [tokens, k] */
  readonly values: Float32Array<ArrayBuffer>;
  /** [tokens, k] */
  readonly indices: Uint32Array<ArrayBuffer>;
}

/** What a file's entries depend on. */
export interface ShardOrigin {
  /** JSON of model, SAE, data set, code: the same for all files that may be read together. */
  readonly identity: string;
  /** SHA-256 of the shard's own texts and rows. */
  readonly texts: string;
}

/** Rows `first` to `end`, half open; rows between them may be missing from the corpus. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

/** A file of a folder, by its name. */
export interface FoundShard extends RowRange {
  readonly path: string;
}

/** The file of a shard. */
export function shardPath(folder: string, hookpoint: string, { first, end }: RowRange): string {
  return join(folder, `${hookpoint}.${first}-${end}.safetensors`);
}

/** Writes a shard, atomically. */
export async function writeShard(
  path: string,
  { k, rows, rowOffsets, values, indices }: CollectedShard,
  origin: ShardOrigin,
): Promise<void> {
  const tokens = rowOffsets[rows.length];
  const bytes = encodeSafetensors({
    top_acts: { dtype: "F32", shape: [tokens, k], data: values },
    top_indices: { dtype: "U32", shape: [tokens, k], data: indices },
    row_offsets: { dtype: "U32", shape: [rows.length + 1], data: rowOffsets },
    rows: { dtype: "U32", shape: [rows.length], data: rows },
  }, { ...origin });
  await writeAtomic(path, bytes);
}

/**
 * The shards of a hookpoint in a folder, by row; none if there is no such folder.
 *
 * @param folder of a data set and language
 */
export async function findShards(folder: string, hookpoint: string): Promise<FoundShard[]> {
  if (!await isFolder(folder)) return [];
  const found = (await listFolder(folder)).flatMap((name) => {
    if (!name.startsWith(`${hookpoint}.`)) return [];
    const rows = /^(\d+)-(\d+)\.safetensors$/.exec(name.slice(hookpoint.length + 1));
    if (!rows) return [];
    return [{ path: join(folder, name), first: Number(rows[1]), end: Number(rows[2]) }];
  });
  return found.sort((a, b) => a.first - b.first || a.end - b.end);
}

/**
 * What a shard says of its origin; undefined for a file that is none, or damaged.
 */
export async function shardOrigin(path: string): Promise<ShardOrigin | undefined> {
  try {
    using file = await openSafetensorsFile(path);
    return originOf(file);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/**
 * Reads what was collected at a hookpoint, shard by shard in the order of rows.
 *
 * @param folder of a data set and language
 * @param identity of the shards wanted; if not given, all have to be of one identity, whichever
 * @throws InputError, before anything is read, when there are no shards, when two share rows, or when
 *   one was made from something else than the others; later for a damaged one
 */
export async function* readCollected(
  folder: string,
  hookpoint: string,
  identity?: string,
): AsyncGenerator<CollectedShard> {
  const shards = await findShards(folder, hookpoint);
  if (shards.length === 0) {
    throw new InputError(
      `${folder} holds nothing of ${hookpoint}, expected ${hookpoint}.<first row>-<past last row>` +
        `.safetensors: run "babelscope collect" first.`,
    );
  }
  checkDisjoint(shards);
  let expected = identity;
  for (const { path } of shards) {
    const found = (await shardOrigin(path))?.identity;
    if (found !== undefined && found === (expected ??= found)) continue;
    throw new InputError(
      `${path} was not made from the same model, SAE, data set and code as what is read with it: ` +
        `remove it, or collect into another folder.`,
    );
  }
  for (const { path } of shards) yield await readShard(path);
}

/** @throws InputError when rows lie in two shards: they would be counted twice */
export function checkDisjoint(shards: readonly FoundShard[]): void {
  const second = shards.findIndex((shard, i) => i > 0 && shard.first < shards[i - 1].end);
  if (second < 0) return;
  throw new InputError(
    `${shards[second - 1].path} and ${
      shards[second].path
    } share rows, which would be counted twice: ` +
      `remove one of them.`,
  );
}

async function readShard(path: string): Promise<CollectedShard> {
  const file = fromBytes(await readBytes(path), path);
  const integers = async (name: string, shape: readonly number[]) =>
    new Uint32Array(await tensorOf(file, name, "U32", shape, path));
  const [texts = 0] = file.info("rows").shape;
  const [tokens = 0, k = 0] = file.info("top_acts").shape;
  const rowOffsets = await integers("row_offsets", [texts + 1]);
  if (rowOffsets[0] !== 0 || rowOffsets[texts] !== tokens || !ascends(rowOffsets)) {
    throw damaged(path, `row_offsets do not divide its ${tokens} tokens`);
  }
  return {
    k,
    rows: await integers("rows", [texts]),
    rowOffsets,
    values: new Float32Array(await tensorOf(file, "top_acts", "F32", [tokens, k], path)),
    indices: await integers("top_indices", [tokens, k]),
  };
}

async function tensorOf(
  file: TensorSource,
  name: string,
  dtype: Dtype,
  shape: readonly number[],
  path: string,
): Promise<ArrayBuffer> {
  const info = file.info(name);
  if (info.dtype !== dtype || info.shape.join() !== shape.join()) {
    throw damaged(path, `${name} is ${info.dtype} [${info.shape}], expected ${dtype} [${shape}]`);
  }
  return (await file.read(name)).slice().buffer;
}

function ascends(offsets: Uint32Array): boolean {
  return offsets.every((offset, i) => i === 0 || offset >= offsets[i - 1]);
}

function originOf({ metadata: { identity, texts } }: TensorSource): ShardOrigin | undefined {
  return identity === undefined || texts === undefined ? undefined : { identity, texts };
}

function damaged(path: string, what: string): InputError {
  return new InputError(`${path} is no shard of collect: ${what}; collect it again.`);
}
