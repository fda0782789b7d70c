/** Lists of token ids → rows, as they are, shard by shard. */
import { InputError } from "../formats/input_error.ts";
import type { ShardPart, ShardWriter } from "./shard_writer.ts";

/** Lists of ids that are used as they are (spec train-and-interpret A.5). */
export interface ListSource {
  /** What decides the lists. */
  readonly identity: unknown;
  /** Ids of the first, and so of each. */
  readonly length: number;
  /** The lists from row `begin` on. */
  read(begin: number): AsyncGenerator<Uint32Array<ArrayBuffer>>;
}

/**
 * Writes lists of ids as rows.
 *
 * @throws InputError when a list is not as long as the first
 */
export async function* listShards(
  source: ListSource,
  { name, batchSize }: { readonly name: string; readonly batchSize: number },
  writer: ShardWriter,
): AsyncGenerator<ShardPart> {
  let lists: AsyncGenerator<Uint32Array> | undefined;
  let read = 0;
  for (let number = 0, ended = false; !ended; number++) {
    const shard = `${name}_${String(number).padStart(6, "0")}`;
    let part = writer.recall(shard);
    if (!part) {
      lists ??= source.read(read);
      const ids = await nextLists(lists, { length: source.length, most: batchSize, first: read });
      const rows = ids.length / source.length;
      part = await writer.write(shard, { ids, contextLength: source.length }, {
        language: null,
        read: read + rows,
        texts: rows,
        waiting: [],
        dropped: 0,
        ended: rows < batchSize,
      });
    }
    yield part;
    ({ read, ended } = part);
  }
}

async function nextLists(
  lists: AsyncGenerator<Uint32Array>,
  { length, most, first }: {
    readonly length: number;
    readonly most: number;
    readonly first: number;
  },
): Promise<Uint32Array<ArrayBuffer>> {
  const ids = new Uint32Array(most * length);
  for (let row = 0; row < most; row++) {
    const { done, value: list } = await lists.next();
    if (done) return ids.slice(0, row * length);
    if (list.length !== length) {
      throw new InputError(
        `Row ${
          first + row
        } of the data has ${list.length} token ids, but the first has ${length}: ` +
          `expected rows of one length; cut them anew.`,
      );
    }
    ids.set(list, row * length);
  }
  return ids;
}
