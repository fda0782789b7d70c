import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { memorySource } from "../formats/byte_source.ts";
import { openParquet } from "../formats/parquet/parquet.ts";
import { NATIVE_CODECS } from "./native_codecs.ts";

const COMPRESS = { ZSTD: zstdCompressSync, GZIP: gzipSync };

for (const [codec, compress] of Object.entries(COMPRESS)) {
  const inflate = NATIVE_CODECS.get(codec)!;

  Deno.test(`${codec}: bytes come back, and never more than asked for`, () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 7);
    assert.deepEqual(inflate(new Uint8Array(compress(bytes)), 5000), bytes);
    const bomb = new Uint8Array(compress(new Uint8Array(5_000_000)));
    assert.throws(() => inflate(bomb, 1000), /larger than 1000 bytes/);
  });

  Deno.test(`${codec}: cells are those that the library's decompressor gives`, async () => {
    const path = `../../tests/fixtures/datasets/${codec.toLowerCase()}.parquet`;
    const source = memorySource(await Deno.readFile(new URL(path, import.meta.url)));
    const library = await openParquet(source, path);
    const native = await openParquet(source, path, NATIVE_CODECS);
    const cells = await native.read(library.columns, 0, library.rows);
    assert.deepEqual(cells, await library.read(library.columns, 0, library.rows));
  });
}

Deno.test("a damaged page that keeps fzstd busy for ever is refused", () => {
  const page = Uint8Array.fromBase64(
    "KLUv/SCgtQIAAooUHvBrDcE29iIBfegOfGsfugPf2ofuIIfFYrFYLBZmBdccc8spn1zyyCF/3PHGGV9c8cQRP9zwwgkfXPDAAb9uvTr16dKjQ3/eXudx3uZl3uVVAgA=",
  );
  assert.throws(() => NATIVE_CODECS.get("ZSTD")!(page, 160));
});
