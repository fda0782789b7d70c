/** A GGUF Llama against the checkpoint it was made from and what transformers computes with that. */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { maxAbsoluteDifference } from "../../tests/support/numbers.ts";
import { Fixture, projectPath } from "../../tests/support/tensors.ts";
import { memorySource } from "../formats/byte_source.ts";
import { toFloat32 } from "../formats/dtype.ts";
import { ggufTensors, parseGguf } from "../formats/gguf.ts";
import type { GgufValue } from "../formats/gguf_values.ts";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import { readRows } from "../gpu/rows.ts";
import { WeightStore } from "../gpu/weight_store.ts";
import { pack } from "./batch.ts";
import type { LlamaConfig } from "./config.ts";
import { ggufLlama } from "./gguf_llama.ts";
import { Llama } from "./llama.ts";
import { inverseFrequencies } from "./rope_table.ts";

const SOURCE = memorySource(
  await Deno.readFile(projectPath("tests/fixtures/gguf/tiny.gguf")),
);
const HEADER = await parseGguf(SOURCE, "tiny.gguf");
const STORED = ggufTensors(SOURCE, HEADER, "tiny.gguf");

const LLAMA3: LlamaConfig = {
  layers: 2,
  hiddenSize: 64,
  mlpSize: 96,
  heads: 4,
  keyValueHeads: 2,
  headDim: 16,
  vocabularySize: 330,
  normEpsilon: Math.fround(1e-5),
  ropeTheta: 20000,
  ropeScaling: {
    type: "llama3",
    factor: 32,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalContext: 80,
  },
  tiedEmbeddings: true,
  attentionBias: true,
  mlpBias: false,
  bosTokenId: 1,
};

/** The file with other metadata, or tensors under other names. */
function changed(
  metadata: Readonly<Record<string, GgufValue | undefined>>,
  renamed: Readonly<Record<string, string>> = {},
) {
  const values = new Map(HEADER.metadata);
  for (const [key, value] of Object.entries(metadata)) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
  const oldName = new Map(STORED.names().map((name) => [renamed[name] ?? name, name]));
  const stored: TensorSource = {
    ...STORED,
    metadata: STORED.metadata,
    names: () => [...oldName.keys()],
    info: (name) => STORED.info(oldName.get(name) ?? name),
    read: (name, from, to) => STORED.read(oldName.get(name) ?? name, from, to),
    readColumns: (name, from, to) => STORED.readColumns(oldName.get(name) ?? name, from, to),
  };
  return ggufLlama(values, stored, "tiny.gguf");
}

Deno.test("GGUF: config, with rotary divisors equal to llama3's scaling", async () => {
  const { config } = await changed({});
  const { ropeScaling, ...others } = config;
  const { ropeScaling: _, ...expected } = LLAMA3;
  assert.deepEqual(others, expected);
  assert.equal(ropeScaling.type, "divisors");
  const frequencies = inverseFrequencies(config);
  inverseFrequencies(LLAMA3).forEach((frequency, i) => {
    assert.ok(Math.abs(frequencies[i] / frequency - 1) < 3e-7, `frequency ${i}`);
  });
});

Deno.test("GGUF: tensors have the names and the order of rows of the checkpoint", async () => {
  using expected = await Fixture.open("tests/fixtures/gguf/tiny.safetensors");
  const { tensors } = await changed({});
  assert.ok(tensors.names().includes("model.layers.0.post_attention_layernorm.weight"));
  assert.ok(!tensors.names().some((name) => /blk|rope/.test(name)));
  const names = expected.tensors.names().filter((name) => name.startsWith("model."));
  assert.equal(names.length, 8);
  for (const name of names) {
    const { dtype, shape } = tensors.info(name);
    const values = await expected.floats(name);
    assert.deepEqual(shape, expected.tensors.info(name).shape);
    assert.deepEqual(toFloat32(await tensors.read(name), dtype), values, name);
    // rows that begin and end within heads, and columns within blocks
    const [rows, columns = 1] = shape;
    const some = toFloat32(await tensors.read(name, 5, rows - 3), dtype);
    assert.deepEqual(some, values.slice(5 * columns, (rows - 3) * columns), `${name}, rows`);
    if (shape.length === 1) continue;
    const part = toFloat32(await tensors.readColumns(name, 3, 37), dtype);
    assert.deepEqual(
      [...part],
      Array.from({ length: rows }, (_, row) => [
        ...values.subarray(row * columns + 3, row * columns + 37),
      ]).flat(),
      `${name}, columns`,
    );
  }
  await assert.rejects(tensors.read("model.layers.0.self_attn.q_proj.weight", 60, 65), RangeError);
  await assert.rejects(tensors.read("lm_head.weight"), /nothing that a checkpoint calls/);
});

for (const family of FAMILIES) {
  Deno.test(`GGUF, ${family}: logits equal transformers' on the dequantised weights`, async () => {
    using gpu = await openTestGpu({ family });
    using expected = await Fixture.open("tests/fixtures/gguf/tiny.safetensors");
    const { config, tensors } = await changed({});
    using store = new WeightStore(gpu);
    using llama = new Llama(gpu, config, tensors, "tiny.gguf", store);
    const ids = Uint32Array.from(await expected.integers("input_ids"));
    const residual = await llama.forward(pack([ids]), [], true);
    const rows = Array.from({ length: 10 }, (_, i) => ids.length - 10 + i);
    using logits = await llama.logits(residual, rows);
    const difference = maxAbsoluteDifference(
      await readRows(gpu, logits),
      await expected.floats("logits"),
    );
    assert.ok(difference <= 1e-4, `${difference}`);
  });
}

Deno.test("GGUF: linear rotary scaling", async () => {
  const renamed = { "rope_freqs.weight": "output.bias" };
  const { config } = await changed({
    "llama.rope.scaling.type": "linear",
    "llama.rope.scaling.factor": 4,
  }, renamed);
  assert.deepEqual(config.ropeScaling, { type: "linear", factor: 4 });
  assert.deepEqual((await changed({}, renamed)).config.ropeScaling, { type: "none" });
});

Deno.test("GGUF: models that would be computed otherwise are refused in a sentence", async () => {
  const refused = (work: Promise<unknown>, why: RegExp) =>
    assert.rejects(work, (error: Error) => {
      assert.ok(error instanceof InputError, String(error.stack));
      assert.match(error.message, /^tiny\.gguf[^\n]+\.$/);
      assert.match(error.message, why);
      return true;
    });
  await refused(changed({ "general.architecture": "gemma2" }), /"gemma2", but only "llama"/);
  await refused(changed({ "llama.expert_count": 8 }), /expert_count/);
  await refused(changed({ "llama.block_count": undefined }), /block_count" is missing/);
  await refused(changed({ "llama.block_count": -1 }), /a positive integer/);
  await refused(changed({ "llama.block_count": ["2"] }), /is an array/);
  await refused(changed({ "llama.attention.head_count_kv": 3 }), /divisor of the 4 heads/);
  await refused(changed({ "llama.rope.dimension_count": 8 }), /only 16 is supported/);
  await refused(changed({ "llama.attention.key_length": 6 }), /multiple of 4/);
  const unscaled = { "rope_freqs.weight": "output.bias" };
  await refused(
    changed({ "llama.rope.scaling.type": "yarn" }, unscaled),
    /"none" or "linear" is supported/,
  );
  await refused(changed({}, { "blk.0.ffn_up.weight": "blk.0.ffn_gate_exps.weight" }), /not part/);
  await refused(
    changed({}, { "rope_freqs.weight": "a", "blk.0.ffn_norm.weight": "rope_freqs.weight" }),
    /not a positive divisor/,
  );
});
