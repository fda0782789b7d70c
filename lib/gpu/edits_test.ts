/** Steering vectors and neuron edits against plain loops, on odd sizes, with groups and without. */
import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { NO_GROUP, recordAddVector } from "./add_vector.ts";
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { allocateRows, readRows, type Rows, strideOf, writeRows } from "./rows.ts";
import { recordSetColumns } from "./set_columns.ts";

/** Alone, around a workgroup and a stride, and more rows than workgroups in a dimension. */
const SIZES: [rows: number, width: number][] = [[1, 1], [31, 33], [257, 130], [66_000, 5]];
const SETS = 5;

/** Every set, and none, in no order. */
function groupsOf(random: () => number, rows: number): Uint32Array {
  return Uint32Array.from({ length: rows }, () => {
    const set = Math.floor(random() * (SETS + 1));
    return set === SETS ? NO_GROUP : set;
  });
}

/** What a kernel leaves of `values`; their padding has to stay zero. */
async function edited(
  gpu: Gpu,
  values: Float32Array,
  width: number,
  record: (recorder: Recorder, y: Rows) => void,
): Promise<Float32Array> {
  using y = allocateRows(gpu, "y", values.length / width, width);
  writeRows(gpu, y, values);
  const recorder = gpu.recorder();
  record(recorder, y);
  recorder.submit();
  const whole = await readRows(gpu, { ...y, width: y.stride });
  assert.ok(whole.every((value, at) => at % y.stride < width || value === 0), "padding");
  return await readRows(gpu, y);
}

function assertSame(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  const at = actual.findIndex((value, i) => value !== expected[i]);
  assert.equal(at, -1, `${actual[at]}, not ${expected[at]}, at ${at}`);
}

Deno.test("a vector is added to every row of its group", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(3);
  for (const [rows, width] of SIZES) {
    const x = randomValues(random, rows * width);
    const vectors = randomValues(random, SETS * width);
    const groups = groupsOf(random, rows);
    using uploaded = allocateRows(gpu, "vectors", SETS, width);
    writeRows(gpu, uploaded, vectors);
    using list = gpu.bufferOf("groups", groups);
    const plus = (set: number, i: number) =>
      set === NO_GROUP ? x[i] : x[i] + vectors[set * width + i % width];

    const binding = { buffer: list.resource, size: rows * 4 };
    assertSame(
      await edited(
        gpu,
        x,
        width,
        (recorder, y) => recordAddVector(gpu, recorder, y, uploaded, binding),
      ),
      x.map((_, i) => plus(groups[Math.floor(i / width)], i)),
    );
    assertSame(
      await edited(gpu, x, width, (recorder, y) => recordAddVector(gpu, recorder, y, uploaded)),
      x.map((_, i) => plus(0, i)),
    );
  }
});

Deno.test("vectors of another width are a mistake", async () => {
  using gpu = await openTestGpu();
  using y = allocateRows(gpu, "y", 2, 70);
  using vectors = allocateRows(gpu, "vectors", 2, 69);
  assert.throws(() => recordAddVector(gpu, gpu.recorder(), y, vectors), /69 values for rows of 70/);
});

for (const operation of ["set", "add"] as const) {
  Deno.test(`columns of every row of a group: ${operation}`, async () => {
    using gpu = await openTestGpu();
    const random = seededRandom(4);
    for (const [rows, width] of SIZES) {
      const x = randomValues(random, rows * width);
      const groups = groupsOf(random, rows);
      // list 2 is empty, list 3 has all columns
      const lists = Array.from(
        { length: SETS },
        (_, set) =>
          Array.from({ length: width }, (_, column) => column)
            .filter((column) => set === 3 || (set !== 2 && (column * 7 + set) % 3 === 0))
            .map((column) => ({ column, value: Math.fround(random() - 0.5) })),
      );
      const offsets = lists.reduce((ends, list) => [...ends, ends.at(-1)! + list.length], [0]);
      using columns = gpu.bufferOf(
        "columns",
        Uint32Array.from(lists.flat(), ({ column }) => column),
      );
      using values = gpu.bufferOf("values", Float32Array.from(lists.flat(), ({ value }) => value));
      using bounds = gpu.bufferOf("offsets", Uint32Array.from(offsets));
      using list = gpu.bufferOf("groups", groups);
      const uploaded = {
        columns: columns.resource,
        values: values.resource,
        offsets: bounds.resource,
        most: Math.max(...lists.map(({ length }) => length)),
      };
      const byColumn = lists.map((list) =>
        new Map(list.map(({ column, value }) => [column, value]))
      );
      const changed = (set: number, i: number) => {
        const value = set === NO_GROUP ? undefined : byColumn[set].get(i % width);
        if (value === undefined) return x[i];
        return operation === "set" ? value : x[i] + value;
      };

      const binding = { buffer: list.resource, size: rows * 4 };
      assertSame(
        await edited(
          gpu,
          x,
          width,
          (recorder, y) => recordSetColumns(gpu, recorder, y, operation, uploaded, binding),
        ),
        x.map((_, i) => changed(groups[Math.floor(i / width)], i)),
      );
      assertSame(
        await edited(
          gpu,
          x,
          width,
          (recorder, y) => recordSetColumns(gpu, recorder, y, operation, uploaded),
        ),
        x.map((_, i) => changed(0, i)),
      );
    }
  });
}

Deno.test("groups of a piece of a batch start at whole strides", async () => {
  using gpu = await openTestGpu();
  const groups = Uint32Array.from({ length: 64 + 31 }, (_, row) => row < 64 ? NO_GROUP : row % 2);
  using list = gpu.bufferOf("groups", groups);
  using vectors = allocateRows(gpu, "vectors", 2, 3);
  writeRows(gpu, vectors, Float32Array.of(1, 2, 3, 10, 20, 30));
  const piece = { buffer: list.resource, offset: strideOf(64) * 4, size: 31 * 4 };
  const y = await edited(
    gpu,
    new Float32Array(31 * 3),
    3,
    (recorder, y) => recordAddVector(gpu, recorder, y, vectors, piece),
  );
  assertSame(
    y,
    Float32Array.from(y, (_, i) => (i % 3 + 1) * (Math.floor(i / 3) % 2 === 0 ? 1 : 10)),
  );
});
