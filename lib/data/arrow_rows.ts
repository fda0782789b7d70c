/**
 * Rows of Arrow streams: the files of Python's `save_to_disk` (spec train-and-interpret A.5). The library
 * that reads them is loaded at the first use: it takes a sixth of a second.
 */

import type { ByteSource } from "../formats/byte_source.ts";
import { InputError } from "../formats/input_error.ts";

/** What ends a stream: one without it was cut short, maybe between two batches. */
const END = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/** Bytes that are read at a time. */
const CHUNK_BYTES = 2 ** 20;

/** A stream whose schema has been read. */
export interface ArrowStream {
  readonly columns: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Number of the first row, and cells by column. */
  batches(columns: readonly string[]): AsyncGenerator<ArrowBatch>;
}

/** Consecutive rows. */
export interface ArrowBatch {
  readonly first: number;
  readonly rows: number;
  /** A cell: text, number, list of numbers; null where there is none. */
  cell(column: number, row: number): unknown;
}

/**
 * Opens a stream; it can be read once, from its beginning.
 *
 * @throws InputError when it is none
 */
export async function openArrow(source: ByteSource, where: string): Promise<ArrowStream> {
  const { RecordBatchReader, Vector } = await import("apache-arrow");
  /** Whole numbers of 64 bits come as bigints, lists as vectors. */
  const plain = (value: unknown): unknown => {
    if (typeof value === "bigint") return Number(value);
    return value instanceof Vector ? Array.from(value, plain) : value ?? null;
  };
  const reader = await guarded(where, async () => {
    const last = await source.read(Math.max(0, source.size - END.length), source.size);
    if (String([...last]) !== String(END)) throw new TypeError("it lacks its end");
    const opened = await RecordBatchReader.from(chunksOf(source));
    return await opened.open();
  });
  const { fields, metadata } = await guarded(where, () => {
    if (reader.schema) return reader.schema;
    throw new TypeError("it has no schema");
  });
  const names = fields.map(({ name }) => name);
  return {
    columns: names,
    metadata,
    async *batches(columns) {
      const places = columns.map((column) => placeOf(column, names, where));
      for (let first = 0;;) {
        const { done, value } = await guarded(where, () => reader.next());
        if (done) return;
        const vectors = places.map((place) => value.getChildAt(place));
        yield {
          first,
          rows: value.numRows,
          cell: (column, row) => plain(vectors[column]?.get(row)),
        };
        first += value.numRows;
      }
    },
  };
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size; at += CHUNK_BYTES) {
    yield await source.read(at, Math.min(source.size, at + CHUNK_BYTES));
  }
}

/** The library throws whatever comes of bytes that make no sense. */
async function guarded<T>(where: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${where} is no Arrow stream, or a damaged one (${(error as Error).message}); write it anew.`,
    );
  }
}

function placeOf(column: string, names: readonly string[], where: string): number {
  const place = names.indexOf(column);
  if (place >= 0) return place;
  throw new InputError(
    `${where} has no column ${JSON.stringify(column)} but ${
      names.join(", ") || "none"
    }; name the ` +
      `column with the texts with --text-column.`,
  );
}
