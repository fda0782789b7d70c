/** Which documents make a shard, and how many of them are tokenised at a time. */
import { paperBatches } from "./paper_batches.ts";

/** Documents tokenised at a time where nothing is dropped between them. */
const BATCH = 2048;

/** How many documents a shard takes, and how the published program cuts them. */
export interface ShardOptions {
  /** Documents of a shard. */
  readonly batchSize: number;
  /** Processes that the published program would run, which decide what it drops. */
  readonly processes: number;
  /**
   * What the published program calls `map` on: partitions of `batchSize` documents when it
   * pretokenises, all documents when it trains on texts.
   */
  readonly mapped: "partitions" | "all";
}

/** Sizes of the batches of each shard, without end: rows do not depend on them. */
export function* streamedShards({ batchSize }: ShardOptions): Generator<number[]> {
  for (;;) {
    yield Array.from(
      { length: Math.ceil(batchSize / BATCH) },
      (_, i) => Math.min(BATCH, batchSize - i * BATCH),
    );
  }
}

/**
 * Sizes of the batches of each shard as the published program has them.
 *
 * @param documents of the whole source
 */
export function* paperShards(
  documents: number,
  { batchSize, processes, mapped }: ShardOptions,
): Generator<number[]> {
  if (mapped === "partitions") {
    for (let begin = 0; begin < documents; begin += batchSize) {
      yield paperBatches(Math.min(batchSize, documents - begin), processes);
    }
    return;
  }
  let shard: number[] = [];
  let size = 0;
  for (const batch of paperBatches(documents, processes)) {
    if (shard.length > 0 && size + batch > batchSize) {
      yield shard;
      [shard, size] = [[], 0];
    }
    shard.push(batch);
    size += batch;
  }
  if (shard.length > 0) yield shard;
}
