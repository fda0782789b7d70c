import assert from "node:assert/strict";
import { PackedReader, PackedWriter } from "./packed.ts";

Deno.test("packed numbers are read back as they were written", () => {
  const numbers = [0, 1, 127, 128, 255, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1];
  for (let i = 0; i < 1000; i++) numbers.push(i * i * 4001 % 2 ** 32);
  const writer = new PackedWriter();
  for (const number of numbers) writer.add(number);
  const reader = new PackedReader(writer.bytes());
  assert.deepEqual(numbers.map(() => reader.next()), numbers);
  assert.equal(reader.at, writer.bytes().length);
});

Deno.test("small numbers take one byte, the largest five", () => {
  const sizes = [0, 127, 128, 2 ** 32 - 1].map((number) => {
    const writer = new PackedWriter();
    writer.add(number);
    return writer.bytes().length;
  });
  assert.deepEqual(sizes, [1, 1, 2, 5]);
});
