import assert from "node:assert/strict";
import { dequantize, GGML_TYPES } from "./dequantize.ts";

// What every type stands for is tested against gguf-py in gguf_test.ts.

Deno.test("dequantize: a part of a block is refused", () => {
  for (const type of GGML_TYPES.values()) {
    assert.throws(() => dequantize(new Uint8Array(type.blockBytes * 2 - 1), type), RangeError);
    const values = dequantize(new Uint8Array(type.blockBytes * 3), type);
    const width = type.dtype === "F32" ? 4 : 2;
    assert.equal(values.length, 3 * type.blockElements * width, type.name);
  }
});

Deno.test("dequantize: a block that does not begin at a word", () => {
  const type = GGML_TYPES.get(2)!;
  const bytes = new Uint8Array(19);
  bytes.set([0x00, 0x3c, 0x9f], 1); // d = 1, first byte: 15 and 9
  const values = new Float32Array(dequantize(bytes.subarray(1), type).buffer);
  assert.deepEqual([values[0], values[16], values[1]], [7, 1, -8]);
});
