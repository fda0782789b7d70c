/** Training on a model's activations: what a step computes, and that it can be stopped anywhere. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type ReferenceBatch,
  referenceLosses,
  type Tensors64,
} from "../../tests/support/coder_reference.ts";
import { hashesOf } from "../../tests/support/folders.ts";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { activationsAt, openTestLlama } from "../../tests/support/models.ts";
import { seededRandom } from "../../tests/support/numbers.ts";
import { withFolder } from "../../tests/support/run.ts";
import type { Gpu } from "../gpu/device.ts";
import { pack } from "../nn/batch.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Llama } from "../nn/llama.ts";
import { type CoderPlan, CoderTraining } from "./coder_training.ts";
import type { TokenBatch, TrainingBatches } from "./batches.ts";
import { initialTensors } from "./initial_tensors.ts";
import { MetricsLog } from "./metrics_log.ts";
import { type OptimizerName, OPTIMIZERS } from "./optimizers/learning_rate.ts";
import { RunFiles } from "./run_files.ts";
import type { CoderShape } from "./shape.ts";
import { Trainer, type TrainerOptions } from "./trainer.ts";
import { TrainingRun } from "./training_run.ts";

const MODEL = "tests/fixtures/tiny_llama32";
const LENGTH = 12;
/** Sums over some tokens in f32 against f64. */
const TOLERANCE = 1e-5;

function shapeAt(llama: Llama, changes: Partial<CoderShape> = {}): CoderShape {
  return {
    inputSize: llama.config.hiddenSize,
    latents: 90,
    k: 5,
    activation: "topk",
    transcode: false,
    skipConnection: false,
    normalizeDecoder: true,
    multiTopk: false,
    auxkAlpha: 0,
    ...changes,
  };
}

function plansAt(llama: Llama, names: string[], changes: Partial<CoderShape> = {}): CoderPlan[] {
  return resolveHookpoints(names, llama.config.layers).map((hookpoint) => ({
    name: hookpoint.name,
    hookpoint,
    seed: 0,
    shape: shapeAt(llama, changes),
  }));
}

function batchesOf(llama: Llama, count: number, rows: number): TokenBatch[] {
  const random = seededRandom(11);
  const ids = () =>
    Uint32Array.from({ length: rows * LENGTH }, () => random() * llama.config.vocabularySize);
  return Array.from({ length: count }, () => ({ ids: ids(), rows }));
}

interface OpenTrainer extends Disposable {
  readonly trainer: Trainer;
}

/** A trainer and coders that start from their seeds. */
function openTrainer(
  gpu: Gpu,
  llama: Llama,
  plans: readonly CoderPlan[],
  optimizer: OptimizerName,
  changes: Partial<TrainerOptions> = {},
): OpenTrainer {
  using undo = new DisposableStack();
  const options: TrainerOptions = {
    batchTokens: 8 * LENGTH,
    excluded: new Set(),
    gradAccSteps: 1,
    microAccSteps: 1,
    kDecaySteps: 0,
    biasStart: true,
    ...changes,
  };
  const coders = plans.map((plan) => {
    const optimizerOptions = { learningRate: 0.01, warmUpSteps: 2, steps: 12 };
    const { batchTokens } = options;
    const coder = undo.use(
      new CoderTraining(gpu, plan, { batchTokens, optimizer, optimizerOptions }),
    );
    coder.coder.setTensors(initialTensors(plan.shape, plan.seed));
    return coder;
  });
  const trainer = undo.use(new Trainer(gpu, llama, coders, options));
  const owned = undo.move();
  return { trainer, [Symbol.dispose]: () => owned[Symbol.dispose]() };
}

/** All parameters of all coders. */
async function tensorsOf({ coders }: Trainer): Promise<Map<string, Float32Array>[]> {
  const all: Map<string, Float32Array>[] = [];
  for (const { coder } of coders) all.push(new Map(await coder.tensors()));
  return all;
}

/** FVU of a coder as it begins, on some rows of activations, in f64. */
function referenceFvu(shape: CoderShape, rows: Float32Array): number {
  const { inputSize } = shape;
  const tokens = rows.length / inputSize;
  const tensors: Tensors64 = new Map(
    [...initialTensors(shape, 0)].map(([name, values]) => [name, Float64Array.from(values)]),
  );
  const mean = new Float64Array(inputSize);
  rows.forEach((value, i) => mean[i % inputSize] += value / tokens);
  tensors.set("b_dec", mean);
  const decoder = tensors.get("W_dec") ?? assert.fail();
  for (let i = 0; i < decoder.length; i += inputSize) {
    const row = decoder.subarray(i, i + inputSize);
    const norm = Math.hypot(...row);
    row.forEach((value, j) => row[j] = value / norm);
  }
  const batch: ReferenceBatch = { x: rows, y: rows, tokens, k: shape.k, paper: false };
  return referenceLosses(shape, tensors, batch).fvu;
}

Deno.test("the first step begins at the mean output, and leaves excluded tokens out", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, MODEL);
  const { llama } = model;
  const names = ["layers.0.mlp", "layers.1"];
  const plans = plansAt(llama, names);
  const [batch] = batchesOf(llama, 1, 3);
  const excluded = new Set([batch.ids[0], batch.ids[7], batch.ids[20]]);
  const texts = [0, 1, 2].map((row) => batch.ids.subarray(row * LENGTH, (row + 1) * LENGTH));
  const activations = await activationsAt(gpu, llama, pack(texts), names);
  for (const leftOut of [new Set<number>(), excluded]) {
    using opened = openTrainer(gpu, llama, plans, "signum", { excluded: leftOut });
    const { trainer } = opened;
    await trainer.step([batch]);
    const [metrics] = await trainer.takeMetrics();
    const kept = [...batch.ids.keys()].filter((at) => !leftOut.has(batch.ids[at]));
    assert.equal(metrics.tokens, kept.length);
    plans.forEach(({ name, shape }, i) => {
      const all = activations.get(name) ?? assert.fail(name);
      const rows = kept.flatMap((at) => [
        ...all.subarray(at * shape.inputSize, (at + 1) * shape.inputSize),
      ]);
      const expected = referenceFvu(shape, Float32Array.from(rows));
      const { fvu } = metrics.coders[i] ?? assert.fail(name);
      assert.ok(Math.abs(fvu / expected - 1) < TOLERANCE, `${name}: ${fvu}, not ${expected}`);
    });
  }
});

Deno.test("pieces of a micro-batch are micro-batches of their own; as published they are not", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, MODEL);
  const { llama } = model;
  const plans = plansAt(llama, ["layers.0.mlp"]);
  const [{ ids }] = batchesOf(llama, 1, 2);
  const halves = [0, 1].map((row) => ({
    ids: ids.slice(row * LENGTH, (row + 1) * LENGTH),
    rows: 1,
  }));
  const after = async (batches: TokenBatch[], changes: Partial<TrainerOptions>) => {
    using opened = openTrainer(gpu, llama, plans, "adam", { biasStart: false, ...changes });
    // Adam's first step has the rate 0.
    await opened.trainer.step(batches);
    await opened.trainer.step(batches);
    const fvu = (await opened.trainer.takeMetrics()).map(({ coders }) => coders[0]?.fvu);
    return { fvu, tensors: await tensorsOf(opened.trainer) };
  };
  const whole = [{ ids, rows: 2 }];
  const pieces = await after(whole, { microAccSteps: 2 });
  assert.deepEqual(pieces, await after(halves, { gradAccSteps: 2 }));
  const one = await after(whole, {});
  assert.notDeepEqual(pieces.fvu, one.fvu);
  // Adam does not see the size of gradients (but for its ε), so that the FVU tells.
  const paper = await after(whole, { microAccSteps: 2, compat: "paper" });
  assert.equal(paper.fvu[0], one.fvu[0]);
});

Deno.test("k falls as micro-batches go by", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, MODEL);
  const { llama } = model;
  const plans = plansAt(llama, ["layers.0.mlp"], { latents: 50 });
  using undo = new DisposableStack();
  const [plan] = plans;
  const optimizerOptions = { learningRate: 0.01, warmUpSteps: 2, steps: 12 };
  const coder = undo.use(
    new CoderTraining(gpu, plan, {
      batchTokens: 2 * LENGTH,
      mostK: 50,
      optimizer: "signum",
      optimizerOptions,
    }),
  );
  coder.coder.setTensors(initialTensors(plan.shape, 0));
  const options = { batchTokens: 2 * LENGTH, excluded: new Set<number>(), gradAccSteps: 2 };
  const trainer = undo.use(
    new Trainer(gpu, llama, [coder], {
      ...options,
      microAccSteps: 1,
      kDecaySteps: 4,
      biasStart: true,
    }),
  );
  const [a, b] = batchesOf(llama, 2, 2);
  for (let step = 0; step < 3; step++) await trainer.step([a, b]);
  const k = (await trainer.takeMetrics()).map(({ k }) => k);
  // 50 at first; half way after 2 of 4: 27.5, to even.
  assert.deepEqual(k, [50, 28, 5]);
});

/** Batches as data has them. */
function dataOf(batches: readonly TokenBatch[]): TrainingBatches {
  return {
    rows: batches.length * batches[0].rows,
    contextLength: LENGTH,
    count: batches.length,
    order: new Uint32Array(0),
    sha256: {},
    async *batches(from = 0) {
      yield* batches.slice(from);
    },
  };
}

/** Trains in a folder from where it is, for some steps at most; returns the steps so far. */
async function run(
  gpu: Gpu,
  llama: Llama,
  plans: readonly CoderPlan[],
  optimizer: OptimizerName,
  folder: string,
  most: number,
): Promise<number> {
  const data = batchesOf(llama, 9, 2);
  using opened = openTrainer(gpu, llama, plans, optimizer);
  const { trainer } = opened;
  const files = new RunFiles(folder, { expansionFactor: 32, numLatents: 90 });
  const state = await files.open(plans);
  await Deno.mkdir(folder, { recursive: true });
  using log = await MetricsLog.open(folder, state?.metrics_bytes ?? 0);
  const training = new TrainingRun(
    {
      trainer,
      files,
      log,
      data: {
        training: dataOf(data.slice(0, 8)),
        heldOut: dataOf(data.slice(8)),
        [Symbol.dispose]() {},
      },
    },
    {
      names: plans.map(({ name }) => name),
      latents: [90, 90],
      auxk: false,
      multiTopk: false,
      divisor: 1,
    },
    {},
    { gradAccSteps: 1, saveEvery: 2, saveBest: true, logEvery: 1 },
  );
  if (state) await training.restore(state);
  const begun = trainer.position.steps;
  await training.run({
    show() {},
    get stopping() {
      return trainer.position.steps - begun >= most;
    },
  });
  return trainer.position.steps;
}

for (const optimizer of OPTIMIZERS) {
  Deno.test(`${optimizer}: a training in parts is one, to the bit`, () =>
    withFolder(async (folder) => {
      using gpu = await openTestGpu();
      using model = await openTestLlama(gpu, MODEL);
      const { llama } = model;
      const plans = plansAt(llama, ["layers.0.mlp", "layers.1"], { auxkAlpha: 0.1 });
      const [whole, parts] = [join(folder, "whole"), join(folder, "parts")];
      assert.equal(await run(gpu, llama, plans, optimizer, whole, Infinity), 8);
      const steps: number[] = [];
      for (const most of [2, 4, 99]) {
        steps.push(await run(gpu, llama, plans, optimizer, parts, most));
      }
      assert.deepEqual(steps, [2, 6, 8]);
      assert.deepEqual(await hashesOf(parts), await hashesOf(whole));
    }));
}
