/** The forward pass against transformers (tiny random Llamas) and the oracle (embedded model). */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { activationsAt, openTestLlama } from "../../tests/support/models.ts";
import { maxAbsoluteDifference } from "../../tests/support/numbers.ts";
import { Fixture, oracleForwardTexts } from "../../tests/support/tensors.ts";
import { readRows } from "../gpu/rows.ts";
import { groupTexts, pack } from "./batch.ts";

/** f32 on both sides, activations of order 1 to 10: what the parity ladder of the design asks. */
const TOLERANCE = 1e-4;

const TINY = ["tiny_llama32", "tiny_llama_biases", "tiny_llama_f16"];
const TEXTS = ["text1", "text37", "text211"];

/** Rows of `values` at these token positions. */
function pick(values: Float32Array, tokens: number, positions: number[], first = 0): Float32Array {
  const width = values.length / tokens;
  return Float32Array.from(
    positions.flatMap((at) => [...values.subarray((first + at) * width, (first + at + 1) * width)]),
  );
}

for (const family of FAMILIES) {
  for (const name of TINY) {
    Deno.test(`${name}, ${family}: hidden states, MLPs and logits equal transformers'`, async () => {
      using gpu = await openTestGpu({ family });
      using model = await openTestLlama(gpu, `tests/fixtures/${name}`);
      using expected = await Fixture.open(`tests/fixtures/${name}/expected.safetensors`);
      const { llama } = model;
      const texts = await Promise.all(TEXTS.map((text) => expected.integers(`${text}.input_ids`)));
      const batch = pack(texts.map((ids) => Uint32Array.from(ids)));
      const tokens = batch.ids.length;
      const names = ["layers.*", "layers.*.mlp", "layers.*.mlp.act_fn"];
      const found = await activationsAt(gpu, llama, batch, names);
      assert.equal(found.size, 3 * llama.config.layers);
      let first = 0;
      for (const [i, text] of TEXTS.entries()) {
        const positions = await expected.integers(`${text}.positions`);
        for (const [hookpoint, values] of found) {
          const actual = pick(values, tokens, positions, first);
          const reference = await expected.floats(`${text}.${hookpoint}`);
          const difference = maxAbsoluteDifference(actual, reference);
          assert.ok(difference <= TOLERANCE, `${text} ${hookpoint}: ${difference}`);
        }
        const residual = await llama.forward(batch, [], true);
        using logits = await llama.logits(residual, positions.map((at) => first + at));
        const difference = maxAbsoluteDifference(
          await readRows(gpu, logits),
          await expected.floats(`${text}.logits`),
        );
        assert.ok(difference <= TOLERANCE, `${text} logits: ${difference}`);
        first += texts[i].length;
      }
    });
  }
}

Deno.test("embedded model: hidden states, MLPs, neurons and logits equal the oracle's", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  using expected = await Fixture.open("tests/fixtures/oracle/forward.safetensors");
  const texts = oracleForwardTexts();
  assert.equal(texts.length, 15);
  const batch = pack(texts.map(({ ids }) => ids));
  const names = ["layers.{0,5}.mlp", "layers.5", "layers.1.mlp.act_fn"];
  const found = await activationsAt(gpu, model.llama, batch, names);
  const lastTokens: number[] = [];
  let compared = 0;
  let first = 0;
  for (const { id, ids } of texts) {
    const positions = Array.from(ids, (_, at) => at);
    for (const [hookpoint, values] of found) {
      if (!expected.tensors.names().includes(`${id}.${hookpoint}`)) continue;
      const actual = pick(values, batch.ids.length, positions, first);
      const difference = maxAbsoluteDifference(
        actual,
        await expected.floats(`${id}.${hookpoint}`),
      );
      assert.ok(difference <= TOLERANCE, `${id} ${hookpoint}: ${difference}`);
      compared++;
    }
    first += ids.length;
    lastTokens.push(first - 1);
  }
  assert.equal(compared, 3 * 15 + 3);
  const residual = await model.llama.forward(batch, [], true);
  using logits = await model.llama.logits(residual, lastTokens);
  const values = await readRows(gpu, logits);
  const width = logits.width;
  for (const [i, { id }] of texts.entries()) {
    const reference = await expected.floats(`${id}.logits_last`);
    const difference = maxAbsoluteDifference(
      values.subarray(i * width, (i + 1) * width),
      reference,
    );
    assert.ok(difference <= TOLERANCE, `${id} logits: ${difference}`);
  }
});

Deno.test("a text's activations do not depend on its batch, to the bit", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  const texts = [5, 90, 1, 33].map((length, i) =>
    Uint32Array.from({ length }, (_, at) => (at * 7 + i * 31) % 300)
  );
  const together = await activationsAt(gpu, model.llama, pack(texts), ["layers.2.mlp"]);
  const alone = await activationsAt(gpu, model.llama, pack([texts[1]]), ["layers.2.mlp"]);
  const width = model.llama.config.hiddenSize;
  const part = together.get("layers.2.mlp")!.slice(5 * width, 95 * width);
  assert.deepEqual(alone.get("layers.2.mlp"), part);
});

Deno.test("the pass stops after the last hookpoint in use", async () => {
  using gpu = await openTestGpu({ profile: true });
  using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  const batch = pack([Uint32Array.of(1, 2, 3)]);
  let before = new Map<string, number>();
  const dispatched = async (hookpoints: string[]) => {
    await activationsAt(gpu, model.llama, batch, hookpoints);
    await gpu.settle();
    const now = new Map(
      gpu.profiler!.report().map(({ kernel, dispatches }) => [kernel, dispatches]),
    );
    const count = (kernel: string) => (now.get(kernel) ?? 0) - (before.get(kernel) ?? 0);
    const counts = [count("attention"), count(`matmul_${gpu.identity.family}`)];
    before = now;
    return counts;
  };
  // Per block: one attention; products qkv, output, gate and up in one, down.
  assert.deepEqual(await dispatched(["layers.0.mlp.act_fn"]), [1, 3]);
  assert.deepEqual(await dispatched(["layers.0.mlp"]), [1, 4]);
  assert.deepEqual(await dispatched(["layers.0", "layers.1.mlp.act_fn"]), [2, 7]);
});

Deno.test("weights that exceed the memory budget are streamed, with the same result", async () => {
  const batch = pack([Uint32Array.from({ length: 40 }, (_, at) => at % 300)]);
  const run = async (memoryBudget?: number) => {
    using gpu = await openTestGpu({ memoryBudget });
    using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
    model.llama.prepare(40);
    const found = await activationsAt(gpu, model.llama, batch, ["layers.2"]);
    await model.llama.forward(batch, [], true);
    return { values: found.get("layers.2"), peak: gpu.memory.peak };
  };
  const free = await run();
  const budget = Math.floor(free.peak * 0.75);
  const tight = await run(budget);
  assert.deepEqual(tight.values, free.values);
  assert.ok(tight.peak <= budget && tight.peak < free.peak);
});

Deno.test("texts are grouped in order within the limits", () => {
  const texts = [3, 4, 5, 1, 1, 9].map((length) => ({ ids: new Uint32Array(length) }));
  const lengths = (limits: { tokens: number; examples: number }) =>
    [...groupTexts(texts, limits)].map((group) => group.map(({ ids }) => ids.length));
  assert.deepEqual(lengths({ tokens: 9, examples: 9 }), [[3, 4], [5, 1, 1], [9]]);
  assert.deepEqual(lengths({ tokens: 99, examples: 4 }), [[3, 4, 5, 1], [1, 9]]);
  assert.throws(() => lengths({ tokens: 8, examples: 9 }), /text 5 has 9 tokens, expected 1 to 8/);
});
