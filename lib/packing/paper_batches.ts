/** How many documents the published program tokenises at a time, which decides what it drops. */

/** Documents that Hugging Face's `map` gives to a call. */
const MAP_BATCH = 2048;

/**
 * Sizes of the batches of documents that sparsify tokenises at a time, in order: the documents are
 * cut into contiguous shards, one per process, and each shard into batches of 2,048 (spec
 * train-and-interpret A.5). The last row of every batch is lost.
 *
 * @param processes shards; no more than there are documents
 */
export function paperBatches(documents: number, processes: number): number[] {
  const shards = Math.min(processes, documents);
  return Array.from({ length: shards }, (_, shard) => {
    const size = Math.floor(documents / shards) + (shard < documents % shards ? 1 : 0);
    return Array.from(
      { length: Math.ceil(size / MAP_BATCH) },
      (_, batch) => Math.min(MAP_BATCH, size - batch * MAP_BATCH),
    );
  }).flat();
}
