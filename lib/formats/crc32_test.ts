import assert from "node:assert/strict";
import { crc32 as zlibCrc32 } from "node:zlib";
import { crc32 } from "./crc32.ts";

Deno.test("the checksum is zlib's, in one piece or several", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  for (const length of [0, 1, 255, 256, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * i * 31) >> 3);
    const expected = zlibCrc32(bytes);
    assert.equal(crc32(bytes), expected);
    assert.equal(
      crc32(bytes.subarray(length >> 1), crc32(bytes.subarray(0, length >> 1))),
      expected,
    );
  }
});
