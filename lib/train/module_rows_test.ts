/** What coders are given of a forward pass: inputs and outputs of modules, whole and without some tokens. */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { activationsAt, openTestLlama } from "../../tests/support/models.ts";
import { maxAbsoluteDifference, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { openSafetensorsFolder } from "../data/safetensors_files.ts";
import { toFloat32 } from "../formats/dtype.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, readRows, type Rows, rowsBetween, writeRows } from "../gpu/rows.ts";
import { pack } from "../nn/batch.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Llama } from "../nn/llama.ts";
import { type KeptTokens, ModuleRows } from "./module_rows.ts";

const MODEL = "tests/fixtures/tiny_llama32";
const BATCH = pack([Uint32Array.of(3, 9, 27, 81), Uint32Array.of(5, 25, 1, 7, 4)]);
const TOKENS = 9;

interface Seen {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** What a forward pass hands over, by hookpoint. */
async function handedOver(
  gpu: Gpu,
  llama: Llama,
  names: readonly string[],
  kept: KeptTokens,
  transcode: boolean,
): Promise<Map<string, Seen>> {
  using rows = new ModuleRows(gpu, TOKENS, transcode);
  using copies = new DisposableStack();
  const copied = (recorder: Recorder, from: Rows) => {
    const to = copies.use(allocateRows(gpu, "copy", from.rows, from.width));
    recorder.copy(from.buffer, from.offset, to.buffer, 0, from.rows * from.stride * 4);
    return to;
  };
  const waiting = new Map<string, { x: Rows; y: Rows }>();
  const hookpoints = resolveHookpoints(names, llama.config.layers);
  const hooks = rows.hooks(hookpoints, kept, (recorder, { name }, x, y) => {
    assert.equal(x === y, !transcode);
    waiting.set(name, { x: copied(recorder, x), y: copied(recorder, y) });
  });
  await llama.forward(BATCH, hooks);
  const seen = new Map<string, Seen>();
  for (const [name, { x, y }] of waiting) {
    seen.set(name, { x: await readRows(gpu, x), y: await readRows(gpu, y) });
  }
  return seen;
}

const NAMES = ["layers.*", "layers.*.mlp", "layers.*.mlp.act_fn"];

for (const family of FAMILIES) {
  Deno.test(`outputs and inputs of every module, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    using model = await openTestLlama(gpu, MODEL);
    const { llama } = model;
    const { hiddenSize, normEpsilon } = llama.config;
    const outputs = await activationsAt(gpu, llama, BATCH, NAMES);
    const of = (name: string) => outputs.get(name) ?? assert.fail(name);
    const plain = await handedOver(gpu, llama, NAMES, { tokens: TOKENS }, false);
    assert.deepEqual([...plain.keys()].sort(), [...outputs.keys()].sort());
    for (const [name, { y }] of plain) assert.deepEqual(y, of(name), name);

    const whole = await handedOver(gpu, llama, NAMES, { tokens: TOKENS }, true);
    for (const [name, { y }] of whole) assert.deepEqual(y, of(name), name);
    const input = (name: string) => whole.get(name)?.x ?? assert.fail(name);
    assert.deepEqual(input("layers.1"), of("layers.0"), "a block reads what the last one wrote");
    const silu = input("layers.1.mlp.act_fn").map((x) => x / (1 + Math.exp(-x)));
    assert.ok(maxAbsoluteDifference(silu, of("layers.1.mlp.act_fn")) < 1e-6, "silu of the gate");
    using tensors = await openSafetensorsFolder(projectPath(MODEL));
    const norm = "model.layers.1.post_attention_layernorm.weight";
    const weight = toFloat32(await tensors.read(norm), tensors.info(norm).dtype);
    const before = of("layers.1").map((value, i) => value - of("layers.1.mlp")[i]);
    const expected = before.map((value, i) => {
      const from = i - i % hiddenSize;
      const squares = before.subarray(from, from + hiddenSize).reduce((sum, x) => sum + x * x, 0);
      return value / Math.sqrt(squares / hiddenSize + normEpsilon) * weight[i % hiddenSize];
    });
    assert.ok(maxAbsoluteDifference(input("layers.1.mlp"), expected) < 1e-4, "the normed stream");
  });

  Deno.test(`without some tokens, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    using model = await openTestLlama(gpu, MODEL);
    const positions = Uint32Array.of(1, 2, 6, 8);
    const all = await handedOver(gpu, model.llama, NAMES, { tokens: TOKENS }, true);
    const some = await handedOver(gpu, model.llama, NAMES, { tokens: TOKENS, positions }, true);
    assert.equal(some.size, all.size);
    for (const [name, { x, y }] of some) {
      const whole = all.get(name) ?? assert.fail(name);
      const width = whole.y.length / TOKENS;
      for (const [i, at] of positions.entries()) {
        const row = (values: Float32Array, at: number) =>
          values.subarray(at * width, (at + 1) * width);
        assert.deepEqual(row(x, i), row(whole.x, at), name);
        assert.deepEqual(row(y, i), row(whole.y, at), name);
      }
    }
  });
}

Deno.test("a batch that comes in pieces is put together", async () => {
  using gpu = await openTestGpu();
  const [hookpoint] = resolveHookpoints(["layers.0.mlp.act_fn"], 1);
  const values = randomValues(seededRandom(1), 7 * 70);
  using source = allocateRows(gpu, "activations", 7, 70);
  writeRows(gpu, source, values);
  using rows = new ModuleRows(gpu, 7, true);
  let seen: { x: Rows; y: Rows } | undefined;
  const [hook] = rows.hooks([hookpoint], { tokens: 7 }, (_, __, x, y) => {
    assert.equal(seen, undefined, "handed over once");
    seen = { x, y };
  });
  const recorder = gpu.recorder();
  for (const [from, to] of [[0, 3], [3, 5], [5, 7]]) {
    assert.equal(seen, undefined);
    hook.before?.(recorder, rowsBetween(source, from, to), from);
    await hook.run(recorder, rowsBetween(source, from, to), from);
  }
  recorder.submit();
  const { x, y } = seen ?? assert.fail("nothing is handed over");
  assert.deepEqual(await readRows(gpu, x), values);
  assert.deepEqual(await readRows(gpu, y), values);
});

Deno.test("where no token is left nothing runs", async () => {
  using gpu = await openTestGpu();
  using rows = new ModuleRows(gpu, 7, false);
  const none = { tokens: 7, positions: new Uint32Array(0) };
  assert.deepEqual(rows.hooks(resolveHookpoints(["layers.0"], 1), none, () => {}), []);
});
