import assert from "node:assert/strict";
import { join } from "node:path";
import { changeByte } from "../../tests/support/folders.ts";
import { withFolder } from "../../tests/support/run.ts";
import {
  type CollectedShard,
  findShards,
  readCollected,
  shardPath,
  writeShard,
} from "./collected_files.ts";

const ORIGIN = { identity: '{"model":"a"}', texts: "ab" };

/** Rows `first` to `end`, row r with r % 3 tokens and 2 slots each. */
function shard(first: number, end: number): CollectedShard {
  const rows = Uint32Array.from({ length: end - first }, (_, i) => first + i);
  const rowOffsets = Uint32Array.of(0, ...rows);
  rows.forEach((row, i) => rowOffsets[i + 1] = rowOffsets[i] + row % 3);
  const slots = rowOffsets[rows.length] * 2;
  return {
    k: 2,
    rows,
    rowOffsets,
    values: Float32Array.from({ length: slots }, (_, i) => first + i / 4),
    indices: Uint32Array.from({ length: slots }, (_, i) => 4_000_000_000 + i),
  };
}

function write(folder: string, first: number, end: number, origin = ORIGIN): Promise<void> {
  const path = shardPath(folder, "layers.1.mlp", { first, end });
  return writeShard(path, shard(first, end), origin);
}

function readAll(folder: string, identity?: string): Promise<CollectedShard[]> {
  return Array.fromAsync(readCollected(folder, "layers.1.mlp", identity));
}

Deno.test("shards are read back in the order of their rows, not of their names", () =>
  withFolder(async (folder) => {
    for (const [first, end] of [[9, 10], [10, 17], [0, 9]]) await write(folder, first, end);
    // neighbours that are not meant
    await writeShard(join(folder, "layers.1.0-9.safetensors"), shard(0, 9), ORIGIN);
    await Deno.writeTextFile(join(folder, "layers.1.mlp.old.safetensors"), "");
    assert.deepEqual(await readAll(folder), [shard(0, 9), shard(9, 10), shard(10, 17)]);
    assert.equal((await readAll(folder, ORIGIN.identity)).length, 3);
    assert.equal((await findShards(folder, "layers.1")).length, 1);
    assert.deepEqual(await findShards(join(folder, "none"), "layers.1"), []);
  }));

Deno.test("shards that share rows, or are of another origin, are refused before anything is read", () =>
  withFolder(async (folder) => {
    await assert.rejects(readAll(folder), /holds nothing of layers\.1\.mlp/);
    await write(folder, 0, 5);
    await assert.rejects(readAll(folder, "another"), /0-5\.safetensors was not made from the same/);
    await write(folder, 5, 9, { ...ORIGIN, identity: '{"model":"b"}' });
    await assert.rejects(readAll(folder), /5-9\.safetensors was not made from the same model/);
    await write(folder, 4, 7);
    await assert.rejects(readAll(folder), /0-5\.safetensors and .*4-7\.safetensors share rows/);
  }));

Deno.test("a damaged shard is refused", () =>
  withFolder(async (folder) => {
    const broken = { ...shard(0, 4), rowOffsets: Uint32Array.of(0, 2, 1, 3, 3) };
    const path = shardPath(folder, "layers.1.mlp", { first: 0, end: 4 });
    await writeShard(path, broken, ORIGIN);
    await assert.rejects(readAll(folder), /0-4\.safetensors is no shard of collect: row_offsets/);
    await write(folder, 0, 4);
    const { size } = await Deno.stat(path);
    await changeByte(path, size); // the length of the header
    await assert.rejects(readAll(folder), /was not made from the same|not a valid safetensors/);
  }));
