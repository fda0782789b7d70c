import assert from "node:assert/strict";
import type { Dtype } from "../formats/dtype.ts";
import { InputError } from "../formats/input_error.ts";
import { memorySource } from "../formats/byte_source.ts";
import type { TorchValue } from "../formats/torch_file.ts";
import { TorchStorage, TorchTensor } from "../formats/torch_tensor.ts";
import { fromLapePt } from "./lape_pt.ts";

function tensor(
  data: ArrayBufferView<ArrayBuffer> & { length: number },
  dtype: Dtype,
  shape = [data.length],
) {
  const bytes = new Uint8Array(data.buffer);
  const storage = new TorchStorage(dtype, data.length, () => Promise.resolve(memorySource(bytes)));
  return new TorchTensor(storage, shape, shape.map(() => 1), 0, "x.pt");
}
const f32 = (...numbers: number[]) => tensor(new Float32Array(numbers), "F32");
const i64 = (...numbers: number[]) => tensor(new BigInt64Array(numbers.map(BigInt)), "I64");

/** Thai and English, of which English owns nothing; Thai owns [0, 7] and [1, 3]. */
function lape(changes: Readonly<Record<string, TorchValue>> = {}): Map<TorchValue, TorchValue> {
  return new Map<TorchValue, TorchValue>(Object.entries({
    final_indice: [[i64(7), i64(3)]],
    final_indice_global_max_active: [[f32(4), f32(5)]],
    final_indice_global_min_active: [[f32(0.5), f32(0.25)]],
    final_indice_global_avg_active: [[f32(1), f32(NaN)]],
    sorted_lang: ["English", "Thai"],
    num_examples: i64(10, 20),
    num_tokens: i64(100, 200),
    features_info: info(),
    ...changes,
  }));
}

function info(changes: Readonly<Record<string, TorchValue>> = {}): Map<TorchValue, TorchValue> {
  const thai = new Map<TorchValue, TorchValue>(Object.entries({
    indicies: [[0, 7], [1, 3]],
    entropies: f32(0.5, 0.25),
    selected_probs: f32(0.875, 0.75),
    ...changes,
  }));
  return new Map([["Thai", thai]]);
}

Deno.test("empty languages and the order of probabilities are restored", async () => {
  assert.deepEqual(await fromLapePt(lape(), "x.pt"), {
    languages: ["English", "Thai"],
    examples: [10, 20],
    tokens: [100, 200],
    layers: 2,
    features: [[], [
      {
        layer: 0,
        index: 7,
        entropy: 0.5,
        probability: 0.75,
        globalMax: 4,
        globalMin: 0.5,
        globalAvg: 1,
      },
      {
        layer: 1,
        index: 3,
        entropy: 0.25,
        probability: 0.875,
        globalMax: 5,
        globalMin: 0.25,
        globalAvg: NaN,
      },
    ]],
  });
});

Deno.test("lists, and every type of number, serve in place of tensors", async () => {
  const changes = {
    num_examples: [10, 20],
    num_tokens: tensor(new Int32Array([100, 200]), "I32"),
    final_indice: [[[7], [3]]],
    final_indice_global_max_active: [[tensor(new Float64Array([4]), "F64"), f32(5)]],
    final_indice_global_min_active: [[tensor(new Float16Array([0.5]), "F16"), f32(0.25)]],
  };
  assert.deepEqual(await fromLapePt(lape(changes), "x.pt"), await fromLapePt(lape(), "x.pt"));
});

Deno.test("one feature has a probability without a dimension", async () => {
  const single = lape({
    final_indice: [[i64(7)]],
    final_indice_global_max_active: [[f32(4)]],
    final_indice_global_min_active: [[f32(0.5)]],
    final_indice_global_avg_active: [[f32(1)]],
    features_info: info({
      indicies: [[0, 7]],
      entropies: f32(0.5),
      selected_probs: tensor(new Float32Array([0.75]), "F32", []),
    }),
  });
  const { features } = await fromLapePt(single, "x.pt");
  assert.equal(features[1][0].probability, 0.75);
});

const REFUSED: readonly [string, RegExp, TorchValue][] = [
  ["no dict", /has no final_indice, expected the keys of a lape_all\.pt/, [1]],
  [
    "a matrix",
    /a tensor of shape \[2,2\] where a lape_all\.pt has vectors/,
    lape({
      num_examples: tensor(new Float32Array(4), "F32", [2, 2]),
    }),
  ],
  ["counts that are no whole numbers", /num_examples/, lape({ num_examples: f32(0.5, 2) })],
  ["counts beyond 2^53", /num_tokens/, lape({ num_tokens: i64(1, 2 ** 60) })],
  [
    "booleans",
    /element type BOOL/,
    lape({
      num_tokens: tensor(new Uint8Array(2), "BOOL"),
    }),
  ],
  [
    "other features in its lists",
    /Thai name different features/,
    lape({
      final_indice: [[i64(7), i64(4)]],
    }),
  ],
  ["a language too few", /num_tokens must have 2 entries/, lape({ num_tokens: i64(1) })],
  ["an unknown language", /names a language/, lape({ sorted_lang: ["English", "Lao"] })],
];

for (const [name, message, value] of REFUSED) {
  Deno.test(`refused: ${name}`, () =>
    assert.rejects(fromLapePt(value, "x.pt"), (error: Error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    }));
}

Deno.test("every key that is read is asked for by name", async () => {
  for (const key of lape().keys()) {
    const without = lape();
    without.delete(key);
    await assert.rejects(fromLapePt(without, "x.pt"), new RegExp(`x\\.pt has no ${key},`));
  }
});
