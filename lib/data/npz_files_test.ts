import assert from "node:assert/strict";
import { join } from "node:path";
import { changeByte } from "../../tests/support/folders.ts";
import { ROOT, withFolder } from "../../tests/support/run.ts";
import { memorySource } from "../formats/byte_source.ts";
import { type Dtype, DTYPE_BYTES } from "../formats/dtype.ts";
import { InputError } from "../formats/input_error.ts";
import { openNpz } from "../formats/npz.ts";
import { openNpzFile } from "./npz_files.ts";

const FIXTURES = join(ROOT, "tests/fixtures/npz");

/** What make_npz.py writes: its `values`, as little-endian bytes. */
function expected(shape: readonly number[], dtype: Dtype): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = Array.from({ length: count }, (_, i) => {
    if (dtype === "BOOL") return i % 3 === 0 ? 1 : 0;
    return (7 * i) % 251 - (dtype.startsWith("U") ? 0 : 100);
  });
  const arrays: Partial<Record<Dtype, ArrayBufferView<ArrayBuffer>>> = {
    F64: new Float64Array(numbers),
    F32: new Float32Array(numbers),
    F16: new Float16Array(numbers),
    I64: new BigInt64Array(numbers.map(BigInt)),
    I32: new Int32Array(numbers),
    I16: new Int16Array(numbers),
    I8: new Int8Array(numbers),
    U64: new BigUint64Array(numbers.map(BigInt)),
    U32: new Uint32Array(numbers),
    U16: new Uint16Array(numbers),
    U8: new Uint8Array(numbers),
    BOOL: new Uint8Array(numbers),
  };
  return new Uint8Array(arrays[dtype]!.buffer);
}

Deno.test("every element type is read as NumPy wrote it", async () => {
  using tensors = await openNpzFile(join(FIXTURES, "dtypes.npz"));
  const dtypes = tensors.names().map((name) => tensors.info(name).dtype);
  assert.deepEqual(
    dtypes.join(" "),
    "F64 F32 F16 I64 I32 I16 U8 U32 BOOL I8 U16 U64",
  );
  for (const name of tensors.names()) {
    const { dtype, shape, begin, end } = tensors.info(name);
    assert.deepEqual([shape, end - begin], [[3, 5], 15 * DTYPE_BYTES[dtype]]);
    assert.deepEqual(await tensors.read(name), expected(shape, dtype), name);
  }
});

for (const file of ["stored.npz", "deflated.npz", "streamed.npz"]) {
  Deno.test(`${file}: whole arrays, rows and columns`, async () => {
    using tensors = await openNpzFile(join(FIXTURES, file));
    assert.deepEqual(
      tensors.names(),
      ["W_enc", "W_dec", "b_enc", "scalar", "empty", "two", "three", "column"],
    );
    for (const name of tensors.names()) {
      const { dtype, shape } = tensors.info(name);
      assert.deepEqual(await tensors.read(name), expected(shape, dtype), name);
    }
    assert.deepEqual(tensors.info("scalar").shape, []);
    assert.deepEqual(tensors.info("empty").shape, [0, 4]);
    const whole = expected([6, 20], "F32");
    assert.deepEqual(await tensors.read("W_enc", 2, 5), whole.slice(2 * 80, 5 * 80));
    assert.deepEqual(await tensors.read("W_enc", 6), new Uint8Array());
    const columns = await tensors.readColumns("W_enc", 3, 7);
    const rows = [...Array(6).keys()].map((row) => whole.slice(row * 80 + 12, row * 80 + 28));
    assert.deepEqual(columns, new Uint8Array(rows.flatMap((row) => [...row])));
    await assert.rejects(tensors.read("W_enc", 2, 7), RangeError);
    await assert.rejects(tensors.readColumns("b_enc", 0, 1), RangeError);
    await assert.rejects(tensors.read("threshold"), /has no tensor "threshold" among its 8/);
  });
}

const REFUSED: readonly [string, RegExp][] = [
  ["fortran.npz", /^array "x" of .*fortran\.npz is stored in column-major/],
  ["big_endian.npz", /element type ">f4"/],
  ["complex.npz", /element type "<c8"/],
  ["structured.npz", /cannot be read/],
  ["objects.npz", /element type "\|O"/],
  ["bzip2.npz", /packed by method 12/],
  ["other_entry.npz", /has entry "readme\.txt", expected arrays \(\.npy\) only/],
  ["make_npz.py", /no end record/],
  ["no_such.npz", /does not exist/],
];

for (const [file, message] of REFUSED) {
  Deno.test(`refused: ${file}`, () =>
    assert.rejects(openNpzFile(join(FIXTURES, file)), (error: Error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    }));
}

Deno.test("a damaged element is found when the array is read whole", () =>
  withFolder(async (folder) => {
    for (const file of ["stored.npz", "deflated.npz"]) {
      const path = join(folder, file);
      await Deno.copyFile(join(FIXTURES, file), path);
      // the last element of the last array lies right before the directory
      const size = (await Deno.stat(path)).size;
      const bytes = await Deno.readFile(path);
      const directory = new DataView(bytes.buffer).getUint32(size - 6, true);
      await changeByte(path, size - directory + 1);
      await assert.rejects(async () => {
        using tensors = await openNpzFile(path);
        await tensors.read("column");
      }, InputError);
    }
  }));

Deno.test("one byte changed, anywhere, gives tensors or a refusal", async () => {
  for (const file of ["stored.npz", "deflated.npz"]) {
    const bytes = await Deno.readFile(join(FIXTURES, file));
    for (let at = 0; at < bytes.length; at += 3) {
      try {
        const tensors = await openNpz(memorySource(bytes.with(at, bytes[at] ^ 0xff)), "x.npz");
        for (const name of tensors.names()) await tensors.read(name);
      } catch (error) {
        assert.ok(error instanceof InputError, `byte ${at} of ${file}: ${(error as Error).stack}`);
      }
    }
  }
});
