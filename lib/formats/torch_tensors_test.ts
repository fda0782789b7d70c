import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "../../tests/support/run.ts";
import { memorySource } from "./byte_source.ts";
import { DTYPE_BYTES } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { readTorchFile } from "./torch_file.ts";
import { stateDict } from "./torch_tensors.ts";

async function open(file: string, key?: string) {
  const bytes = await Deno.readFile(join(ROOT, "tests/fixtures/torch", file));
  const value = await readTorchFile(memorySource(bytes), file);
  return stateDict(
    key !== undefined && value instanceof Map ? value.get(key) ?? null : value,
    file,
  );
}

Deno.test("a state dict's tensors are a source of tensors", async () => {
  const tensors = await open("values.pt", "state");
  assert.deepEqual(tensors.names(), ["weight", "bias"]);
  assert.deepEqual(tensors.info("weight"), { dtype: "F32", shape: [2, 3], begin: 0, end: 24 });
  const bytes = new Uint8Array(new Float32Array(6).fill(0.5).buffer);
  assert.deepEqual(await tensors.read("weight"), bytes);
  assert.deepEqual(await tensors.read("bias", 1), new Uint8Array(new Float32Array([-1]).buffer));
  assert.throws(() => tensors.info("scale"), /has no tensor "scale" among its 2 \(weight, bias\)/);
  await assert.rejects(tensors.read("bias", 0, 3), RangeError);
});

Deno.test("entries that are no dense tensors are left out", async () => {
  assert.deepEqual((await open("values.pt")).names(), ["parameter"]);
});

Deno.test("columns of a matrix are columns of the whole, whatever its strides", async () => {
  const tensors = await open("views.pt");
  let matrices = 0;
  for (const name of tensors.names()) {
    const { dtype, shape } = tensors.info(name);
    if (shape.length !== 2) {
      await assert.rejects(tensors.readColumns(name, 0, 0), RangeError);
      continue;
    }
    matrices++;
    const [rows, columns] = shape;
    const whole = await tensors.read(name);
    const width = DTYPE_BYTES[dtype];
    for (let from = 0; from <= columns; from++) {
      for (let to = from; to <= columns; to++) {
        const expected = Array.from({ length: rows }, (_, row) => [
          ...whole.subarray((row * columns + from) * width, (row * columns + to) * width),
        ]);
        const read = await tensors.readColumns(name, from, to);
        assert.deepEqual(read, new Uint8Array(expected.flat()), `${name} ${from}:${to}`);
      }
    }
  }
  assert.equal(matrices, 7);
});

Deno.test("what holds no tensors is refused", async () => {
  for (const key of ["none", "texts", "ordered"]) {
    await assert.rejects(open("values.pt", key), (error: Error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, /^values\.pt holds no dict of tensors by name; .*\.$/);
      return true;
    });
  }
});
