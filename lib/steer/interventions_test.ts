/** Edits against plain sums, and their hooks in a model against hooks of one text each. */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama, type TestLlama } from "../../tests/support/models.ts";
import { InputError } from "../formats/input_error.ts";
import { NO_GROUP } from "../gpu/add_vector.ts";
import type { Gpu } from "../gpu/device.ts";
import { readRows, type Rows } from "../gpu/rows.ts";
import type { LapeFeature } from "../lape/lape_json.ts";
import { pack } from "../nn/batch.ts";
import { type Hookpoint, resolveHookpoints } from "../nn/hookpoints.ts";
import type { Hook } from "../nn/llama.ts";
import type { Sae } from "../sae/sae.ts";
import type { Target } from "../sae/target.ts";
import { seededRandom } from "../stats/random.ts";
import { EditHooks } from "./edit_hooks.ts";
import { type Edit, neuronEdits, saeEdits } from "./interventions.ts";
import { scoreEditedTexts, scoreTexts } from "./perplexity.ts";

const WIDTH = 33;
const LATENTS = 50;

function feature(layer: number, index: number, [max, min, avg] = [1, 1, 1]): LapeFeature {
  const activations = { globalMax: max, globalMin: min, globalAvg: avg };
  return { layer, index, entropy: 0, probability: 1, ...activations };
}

/** W_dec[latent][i] of a layer. */
function decoded(layer: number, latent: number, i: number): number {
  return Math.fround(Math.sin(layer * 1000 + latent * WIDTH + i));
}

function target(layer: number, decoder = true): Target {
  const [hookpoint] = resolveHookpoints([`layers.${layer}.mlp`], 9);
  const rows = (latents: ArrayLike<number>) =>
    Promise.resolve(Float32Array.from(
      Array.from(latents).flatMap((latent) =>
        Array.from({ length: WIDTH }, (_, i) => decoded(layer, latent, i))
      ),
    ));
  const sae: Sae = {
    where: `SAE ${layer}`,
    inputSize: WIDTH,
    latents: LATENTS,
    normalisation: "none",
    inputBias: new Float32Array(64),
    encoder: { name: "W", rows: LATENTS, columns: WIDTH, type: "f32", read: () => assert.fail() },
    encoderBias: new Float32Array(64),
    activation: { kind: "topk", k: 4 },
    decoder: decoder ? { bias: new Float32Array(WIDTH), rows } : undefined,
  };
  return { hookpoint, sae };
}

Deno.test("a steering vector is m times the sum of V W_dec, layer by layer", async () => {
  const features = [
    feature(2, 7, [3, 0.5, 1]),
    feature(2, 49, [0.25, 0.125, 0.2]),
    feature(3, 0),
    feature(5, 1, [2, 1, 1.5]),
  ];
  const targets = [target(1), target(2), target(5)];
  for (const [value, place] of [["max", 0], ["min", 1], ["avg", 2]] as const) {
    const edits = await saeEdits(targets, features, { value, multiplier: -0.4 });
    assert.deepEqual(edits.map(({ hookpoint }) => hookpoint.name), [
      "layers.2.mlp",
      "layers.5.mlp",
    ]);
    const [two, five] = edits.map((edit) => edit.kind === "add" ? edit.vector : assert.fail());
    const [a, b, c] = [[3, 0.5, 1], [0.25, 0.125, 0.2], [2, 1, 1.5]].map((all) => all[place]);
    for (let i = 0; i < WIDTH; i++) {
      const expected = -0.4 * a * decoded(2, 7, i) + -0.4 * b * decoded(2, 49, i);
      assert.ok(Math.abs(two[i] - expected) < 1e-6);
      assert.ok(Math.abs(five[i] - -0.4 * c * decoded(5, 1, i)) < 1e-6);
    }
  }
});

Deno.test("neurons are set to the value, or get multiples of their activation", () => {
  const hookpoints = resolveHookpoints(["layers.{0,2}.mlp.act_fn"], 4);
  const features = [feature(1, 3), feature(2, 5, [2, 1, 4]), feature(2, 9, [8, 1, 4])];
  const steering = { value: -0.5, valueType: "max" as const };
  const edits = (method: "fixed" | "scaling") =>
    neuronEdits(hookpoints, features, { ...steering, method }, 10);
  const expected = { kind: "neurons", hookpoint: hookpoints[1], neurons: Uint32Array.of(5, 9) };
  assert.deepEqual(edits("fixed"), [
    { ...expected, values: Float32Array.of(-0.5, -0.5), add: false },
  ]);
  assert.deepEqual(edits("scaling"), [{ ...expected, values: Float32Array.of(-1, -4), add: true }]);
});

Deno.test("features that the model or its SAEs have not are refused", async () => {
  const steering = { value: "max", multiplier: 1 } as const;
  const refused = (message: RegExp) => (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, message);
    return true;
  };
  await assert.rejects(
    saeEdits([target(2)], [feature(2, 50)], steering),
    refused(/names number 50 of the 50 latents of layers\.2\.mlp \(SAE 2\)/),
  );
  await assert.rejects(
    saeEdits([target(2, false)], [feature(2, 5)], steering),
    refused(/^SAE 2 has no decoder/),
  );
  await assert.rejects(
    saeEdits([target(2)], [feature(2, 5, [NaN, 1, 1])], steering),
    refused(/no max activation of feature 5 of layers\.2\.mlp/),
  );
  const hookpoints = resolveHookpoints(["layers.0.mlp.act_fn"], 1);
  const fixed = { method: "fixed", value: 0, valueType: "max" } as const;
  assert.throws(
    () => neuronEdits(hookpoints, [feature(0, 10)], fixed, 10),
    refused(/names number 10 of the 10 neurons of layers\.0\.mlp\.act_fn/),
  );
});

/** Edits of a small model at every kind of hookpoint. */
function editsOf(hookpoints: readonly Hookpoint[], { config }: TestLlama["llama"], seed: number) {
  const random = seededRandom(seed);
  return hookpoints.map((hookpoint, i): Edit => {
    if (hookpoint.site !== "act_fn") {
      const vector = Float32Array.from({ length: config.hiddenSize }, () => random() - 0.5);
      return { kind: "add", hookpoint, vector };
    }
    const neurons = Uint32Array.of(1, config.mlpSize - 1, 7 + seed);
    const values = Float32Array.from(neurons, () => 4 * random() - 2);
    return { kind: "neurons", hookpoint, neurons, values, add: (i + seed) % 2 === 0 };
  });
}

/** The same edit of all tokens, on the host. */
function slowHook(gpu: Gpu, edit: Edit): Hook {
  return {
    hookpoint: edit.hookpoint,
    async run(recorder, activations: Rows) {
      recorder.submit();
      const { rows, width, stride, buffer, offset } = activations;
      const values = await readRows(gpu, activations);
      for (let row = 0; row < rows; row++) {
        const at = values.subarray(row * width, (row + 1) * width);
        if (edit.kind === "add") edit.vector.forEach((value, i) => at[i] += value);
        else {
          edit.neurons.forEach((neuron, i) =>
            at[neuron] = edit.values[i] + (edit.add ? at[neuron] : 0)
          );
        }
        gpu.write(buffer, offset + row * stride * 4, at);
      }
    },
  };
}

for (const family of FAMILIES) {
  Deno.test(`texts of several interventions in one batch score as each alone, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    using model = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
    const { llama } = model;
    const names = ["layers.0.mlp.act_fn", "layers.1.mlp.act_fn", "layers.0.mlp", "layers.1"];
    const hookpoints = resolveHookpoints(names, llama.config.layers);
    const sets = [
      editsOf(hookpoints, llama, 1),
      editsOf(hookpoints.slice(1), llama, 2),
      [],
      editsOf(hookpoints.slice(0, 1), llama, 4),
    ];
    const texts = [0, NO_GROUP, 1, 3, 0, 2, 1].map((group, i) => ({
      ids: Uint32Array.from({ length: 5 + 31 * i }, (_, at) => (at * 7 + i * 31) % 260),
      group,
    }));
    using edits = new EditHooks(gpu, sets);
    const limits = { tokens: 400, examples: 9 };
    const scored = scoreEditedTexts(gpu, llama, texts, limits, edits);
    const together = (await Array.fromAsync(scored)).flat();
    assert.equal(together.length, texts.length);
    for (const [i, { ids, group }] of texts.entries()) {
      const hooks = (sets[group] ?? []).map((edit) => slowHook(gpu, edit));
      const [[alone]] = await Array.fromAsync(scoreTexts(llama, [{ ids }], limits, hooks));
      assert.deepEqual(together[i], alone, `text ${i}`);
    }
    // without groups all tokens get the first set
    const [text] = texts;
    const first = scoreTexts(llama, [text], limits, edits.hooks());
    assert.deepEqual((await Array.fromAsync(first)).flat(), [together[0]]);
    assert.notEqual(together[0].negativeLogLikelihood, together[4].negativeLogLikelihood);
  });
}

Deno.test("neurons of a batch that goes through the MLP in pieces", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const { llama } = model;
  const hookpoints = resolveHookpoints(["layers.0.mlp.act_fn"], llama.config.layers);
  const neurons = Uint32Array.of(0, 383);
  const edit = (value: number): Edit => ({
    ...{ kind: "neurons", hookpoint: hookpoints[0], neurons, add: false },
    values: Float32Array.of(value, -value),
  });
  using edits = new EditHooks(gpu, [[edit(3)], [edit(5)]]);
  const rows = 200;
  using groups = gpu.bufferOf("groups", Uint32Array.from({ length: rows }, (_, row) => row % 2));
  const batch = pack([Uint32Array.from({ length: rows }, (_, i) => i)]);
  const [hook] = edits.hooks({ buffer: groups.resource, size: rows * 4 });
  const found = new Map<number, number[]>();
  // a pass in pieces, as for wide models: rows 0-63 and 64-199
  const pieces: Hook = {
    hookpoint: hook.hookpoint,
    async run(recorder, { stride, width, ...activations }) {
      for (const [first, last] of [[0, 64], [64, rows]]) {
        const piece = {
          ...activations,
          stride,
          width,
          offset: first * stride * 4,
          rows: last - first,
        };
        await hook.run(recorder, piece, first);
        recorder.submit();
        const values = await readRows(gpu, piece);
        for (let row = first; row < last; row++) {
          found.set(row, [...neurons].map((neuron) => values[(row - first) * width + neuron]));
        }
      }
    },
  };
  await llama.forward(batch, [pieces]);
  for (const [row, values] of found) {
    const value = row % 2 === 0 ? 3 : 5;
    assert.deepEqual(values, [value, -value], `row ${row}`);
  }
  assert.equal(found.size, rows);
});

Deno.test("two edits of a kind at one hookpoint are a mistake", async () => {
  using gpu = await openTestGpu();
  const [hookpoint] = resolveHookpoints(["layers.0.mlp"], 1);
  const edit: Edit = { kind: "add", hookpoint, vector: new Float32Array(5) };
  assert.throws(() => new EditHooks(gpu, [[edit, edit]]), /2 edits of layers\.0\.mlp in one set/);
  const before = gpu.memory.live;
  new EditHooks(gpu, [[edit], []])[Symbol.dispose]();
  assert.equal(gpu.memory.live, before);
});
