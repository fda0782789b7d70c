/** A step of training as a workload: forward, backward and Signum on one batch. */
import type { Gpu } from "../lib/gpu/device.ts";
import { allocateRows, readRows, rowsBetween, writeRows } from "../lib/gpu/rows.ts";
import { TrainableCoder } from "../lib/train/coder.ts";
import { initialTensors } from "../lib/train/initial_tensors.ts";
import { openOptimizer } from "../lib/train/optimizers/optimizer.ts";
import type { CoderShape } from "../lib/train/shape.ts";
import { allRows, dot, seededMatrix } from "./seeded_matrix.ts";
import { type Workload, WrongResult } from "./workload.ts";

/** Sizes of a step. */
export interface TrainShape {
  readonly tokens: number;
  /** Width of the activations. */
  readonly columns: number;
  readonly latents: number;
  readonly k: number;
}

/** Steps whose losses are kept: more than are ever timed. */
const MOST_STEPS = 2 ** 17;

/** Small enough that a thousand steps on one batch do not end in noise. */
const RATE = 1e-5;

/** Tokens of the check, whose FVU is computed in f64 as well. */
const CHECKED = 16;

/** Relative: f32 sums of some hundred squares. */
const TOLERANCE = 1e-4;

/** A coder and its optimizer on the GPU, with one batch of random activations. */
export function trainStep(gpu: Gpu, shape: TrainShape): Workload {
  const { tokens, columns, latents, k } = shape;
  const coderShape: CoderShape = {
    inputSize: columns,
    latents,
    k,
    activation: "topk",
    transcode: false,
    skipConnection: false,
    normalizeDecoder: true,
    multiTopk: false,
    auxkAlpha: 0,
  };
  using stack = new DisposableStack();
  const options = { batchTokens: tokens, mostBatches: MOST_STEPS };
  const coder = stack.use(new TrainableCoder(gpu, coderShape, options));
  coder.setTensors(initialTensors(coderShape, 0));
  const optimizer = stack.use(openOptimizer(gpu, "signum", coder.parameters, {
    learningRate: RATE,
    warmUpSteps: 0,
    steps: MOST_STEPS,
    unitDecoder: true,
  }));
  const x = stack.use(allocateRows(gpu, "activations", tokens, columns));
  writeRows(gpu, x, allRows(seededMatrix("x", "f32", tokens, columns, 0)));
  const owned = stack.move();
  return {
    name: `training step, ${tokens} × ${columns}→${latents}, k ${k}`,
    // The encoder, and per slot: decode, its gradient, and those of both rows.
    flops: 2 * tokens * columns * (latents + 4 * k),
    task: { task: "train", ...shape, rate: RATE },
    record: (recorder) => {
      coder.recordBatch(recorder, x, x);
      coder.recordProjection(recorder);
      optimizer.recordStep(recorder);
      coder.recordZeroGradients(recorder);
      coder.recordAge(recorder, tokens);
      recorder.submit();
    },
    check: async () => {
      const fvus = (await coder.takeLosses()).map(({ fvu }) => fvu);
      if (!(fvus.at(-1)! < fvus[0])) {
        throw new WrongResult(`the FVU went from ${fvus[0]} to ${fvus.at(-1)}`);
      }
      const some = rowsBetween(x, 0, CHECKED);
      const recorder = gpu.recorder();
      coder.recordEvaluation(recorder, some, some);
      recorder.submit();
      const [{ fvu }] = await coder.takeLosses();
      const expected = fvuOf(await coder.tensors(), await readRows(gpu, some), coderShape);
      if (!(Math.abs(fvu - expected) <= TOLERANCE * expected)) {
        throw new WrongResult(`the FVU is ${fvu}, expected ${expected}`);
      }
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/** The FVU of some tokens, in f64. */
function fvuOf(
  tensors: Awaited<ReturnType<TrainableCoder["tensors"]>>,
  x: Float32Array,
  { inputSize, k }: CoderShape,
): number {
  const [weight, bias, decoder, centre] =
    (["encoder.weight", "encoder.bias", "W_dec", "b_dec"] as const)
      .map((name) => tensors.get(name)!);
  const row = (matrix: Float32Array, i: number) =>
    matrix.subarray(i * inputSize, (i + 1) * inputSize);
  const tokens = x.length / inputSize;
  const mean = Float64Array.from(centre, (_, d) => {
    let sum = 0;
    for (let t = 0; t < tokens; t++) sum += x[t * inputSize + d];
    return sum / tokens;
  });
  let [error, variation] = [0, 0];
  for (let t = 0; t < tokens; t++) {
    const own = row(x, t);
    const centred = own.map((value, d) => value - centre[d]);
    const active = Array.from(bias, (b, latent) => ({
      latent,
      value: Math.max(0, dot(row(weight, latent), centred) + b),
    })).sort((a, b) => b.value - a.value).slice(0, k);
    const y = Float64Array.from(centre);
    for (const { latent, value } of active) {
      row(decoder, latent).forEach((weight, d) => y[d] += value * weight);
    }
    own.forEach((value, d) => {
      error += (value - y[d]) ** 2;
      variation += (value - mean[d]) ** 2;
    });
  }
  return error / variation;
}
