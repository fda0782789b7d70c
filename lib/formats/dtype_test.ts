import assert from "node:assert/strict";
import fc from "fast-check";
import { floatToBf16Bits, toFloat32 } from "./dtype.ts";
import { InputError } from "./input_error.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("F32, F16 and BF16 bytes become the numbers that IEEE 754 says", () => {
  assert.deepEqual([...toFloat32(bytes(0, 0, 0xc0, 0x3f, 1, 0, 0, 0), "F32")], [1.5, 2 ** -149]);
  assert.deepEqual([...toFloat32(bytes(0, 0x3c, 1, 0, 0xff, 0x7b), "F16")], [1, 2 ** -24, 65504]);
  assert.deepEqual([...toFloat32(bytes(0xc0, 0x3f, 0x80, 0xff), "BF16")], [1.5, -Infinity]);
});

Deno.test("bytes may start at an odd offset", () => {
  const odd = bytes(9, 0, 0, 0xc0, 0x3f).subarray(1);
  assert.deepEqual([...toFloat32(odd, "F32")], [1.5]);
  assert.deepEqual([...toFloat32(odd, "BF16")], [0, 1.5]);
});

Deno.test("the result does not share memory with the bytes", () => {
  const source = bytes(0, 0, 0xc0, 0x3f);
  const values = toFloat32(source, "F32");
  source.fill(0);
  assert.equal(values[0], 1.5);
});

Deno.test("integers are refused as weights", () => {
  assert.throws(() => toFloat32(bytes(1), "I8", "model: q_proj"), (error: Error) => {
    return error instanceof InputError && /^model: q_proj has element type I8,/.test(error.message);
  });
});

Deno.test("bf16 rounds to nearest, ties to even", () => {
  const ulp = 2 ** -7; // of bf16 at 1
  const cases: [number, number][] = [
    [1 + ulp * 0.49, 1],
    [1 + ulp * 0.5, 1],
    [1 + ulp * 0.51, 1 + ulp],
    [1 + ulp * 1.5, 1 + 2 * ulp],
    [-1 - ulp * 0.51, -1 - ulp],
    [3.4e38, Infinity],
    [-0, -0],
    [Infinity, Infinity],
  ];
  const bits = floatToBf16Bits(Float32Array.from(cases, ([value]) => value));
  assert.deepEqual(
    [...toFloat32(new Uint8Array(bits.buffer), "BF16")],
    cases.map(([, rounded]) => rounded),
  );
});

Deno.test("bf16 keeps NaN a NaN, whatever its payload", () => {
  const payloads = new Float32Array(Uint32Array.of(0x7f800001, 0x7fffffff, 0xff800001).buffer);
  const back = toFloat32(new Uint8Array(floatToBf16Bits(payloads).buffer), "BF16");
  assert.ok(back.every(Number.isNaN));
});

Deno.test("every bf16 number survives the way to float32 and back", () => {
  fc.assert(fc.property(fc.uint16Array({ maxLength: 64 }), (bits) => {
    const numbers = bits.filter((b) => (b & 0x7fff) <= 0x7f80);
    const floats = toFloat32(new Uint8Array(numbers.slice().buffer), "BF16");
    assert.deepEqual(floatToBf16Bits(floats), numbers);
  }));
});
