/**
 * Decompressors of the runtime for Parquet's pages. They are faster than those written in JavaScript,
 * and do not hang: damaged zstd can send fzstd 0.1.1 (in hyparquet-compressors) round for ever. Not
 * Brotli: of damaged bytes Deno's decoder says on stdout that it leaks memory.
 */

import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Inflate } from "../formats/parquet/pages.ts";

/** By the names of Parquet's codecs. Each makes no more bytes than asked for, or throws. */
export const NATIVE_CODECS: ReadonlyMap<string, Inflate> = new Map([
  ["ZSTD", bounded(zstdDecompressSync)],
  ["GZIP", bounded(gunzipSync)],
]);

function bounded(
  inflate: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array,
): Inflate {
  return (bytes, length) => new Uint8Array(inflate(bytes, { maxOutputLength: length }));
}
