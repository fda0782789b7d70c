import assert from "node:assert/strict";
import {
  type ReferenceBatch,
  referenceGradients,
  referenceLosses,
  type Tensors64,
} from "../../tests/support/coder_reference.ts";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import type { Gpu } from "../gpu/device.ts";
import { allocateRows, type OwnedRows, readRows, writeRows } from "../gpu/rows.ts";
import { type CoderOptions, TrainableCoder } from "./coder.ts";
import { sample } from "../stats/random.ts";
import type { CoderTensors } from "./initial_tensors.ts";
import type { ParameterName } from "./parameter.ts";
import { type CoderShape, tensorSizes } from "./shape.ts";

/** Sums of some hundred products in f32 against f64: relative errors of some 1e-6, squared. */
const TOLERANCE = 1e-10;

/** A coder with no extras. */
const PLAIN: CoderShape = {
  inputSize: 33,
  latents: 70,
  k: 3,
  activation: "topk",
  transcode: false,
  skipConnection: false,
  normalizeDecoder: false,
  multiTopk: false,
  auxkAlpha: 0,
};

/** Random tensors; the encoder's bias is low, so that some tokens have fewer than k active latents. */
function randomTensors(shape: CoderShape, seed: number): CoderTensors {
  const random = seededRandom(seed);
  return new Map(
    tensorSizes(shape).map(([name, rows, columns]) => {
      const values = randomValues(random, rows * columns, 0.3);
      return [name, name === "encoder.bias" ? values.map((value) => value - 2) : values];
    }),
  );
}

function as64(tensors: CoderTensors): Tensors64 {
  return new Map([...tensors].map(([name, values]) => [name, Float64Array.from(values)]));
}

/** Inputs, and targets that differ from them where the coder is a transcoder. */
function randomTokens({ inputSize, transcode }: CoderShape, tokens: number, seed: number) {
  const random = seededRandom(seed);
  const x = randomValues(random, tokens * inputSize).map((value, i) =>
    value + (i % inputSize) / 20
  );
  return { x, y: transcode ? randomValues(random, tokens * inputSize) : x };
}

function upload(gpu: Gpu, values: Float32Array, width: number): OwnedRows {
  const rows = allocateRows(gpu, "tokens", values.length / width, width);
  writeRows(gpu, rows, values);
  return rows;
}

interface Batch {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly k?: number;
  readonly scale?: number;
}

/** What a coder makes of some batches: losses, and the gradients of all together. */
async function trained(
  gpu: Gpu,
  shape: CoderShape,
  tensors: CoderTensors,
  batches: readonly Batch[],
  options: Partial<CoderOptions> & { since?: Uint32Array<ArrayBuffer> } = {},
) {
  const tokens = Math.max(...batches.map(({ x }) => x.length / shape.inputSize));
  using coder = new TrainableCoder(gpu, shape, { batchTokens: tokens, ...options });
  coder.setTensors(tensors);
  if (options.since) coder.restoreSinceFired(options.since);
  const recorder = gpu.recorder();
  using stack = new DisposableStack();
  for (const { x, y, ...batch } of batches) {
    const input = stack.use(upload(gpu, x, shape.inputSize));
    const target = x === y ? input : stack.use(upload(gpu, y, shape.inputSize));
    coder.recordBatch(recorder, input, target, batch);
  }
  recorder.submit();
  const gradients = new Map<ParameterName, Float32Array<ArrayBuffer>>();
  for (const { name, gradient } of coder.parameters) {
    gradients.set(name, await readRows(gpu, gradient));
    const padded = new Float32Array(
      await gpu.read(gradient.buffer, 0, gradient.rows * gradient.stride * 4),
    );
    assert.ok(padded.every((value, i) => i % gradient.stride < gradient.width || value === 0));
  }
  return { gradients, losses: await coder.takeLosses() };
}

/** Every fifth latent has long not fired. */
function someDead(latents: number) {
  const dead = Array.from({ length: latents }, (_, i) => i % 5 === 2);
  return { dead, since: Uint32Array.from(dead, (is) => is ? 101 : 100), deadThreshold: 100 };
}

/** The places of up to 30 entries of each tensor. */
function someEntries(tensors: CoderTensors) {
  const random = seededRandom(5);
  return new Map([...tensors].map(([name, { length }]) => {
    return [name, sample(random, length, Math.min(30, length))] as const;
  }));
}

const CASES: Record<string, Partial<CoderShape> & { k?: number }> = {
  "an autoencoder": {},
  "a transcoder": { transcode: true },
  "a skip connection": { transcode: true, skipConnection: true },
  "an autoencoder with a skip connection": { skipConnection: true },
  "groupmax": { activation: "groupmax", k: 7 },
  "AuxK": { auxkAlpha: 0.5 },
  "Multi-TopK": { multiTopk: true },
  "everything": { skipConnection: true, multiTopk: true, auxkAlpha: 1 / 32 },
  "everything, groupmax": {
    activation: "groupmax",
    k: 5,
    transcode: true,
    skipConnection: true,
    multiTopk: true,
    auxkAlpha: 2,
  },
  "one latent, one column": { inputSize: 1, latents: 1, k: 1, transcode: true },
  "more columns than a workgroup's share": { inputSize: 260, latents: 9, k: 2, auxkAlpha: 1 },
};

for (const family of FAMILIES) {
  for (const [name, given] of Object.entries(CASES)) {
    for (const compat of [undefined, "paper"] as const) {
      Deno.test(`${name}${compat ? ", compat" : ""}: losses and gradients by differences: ${family}`, async () => {
        using gpu = await openTestGpu({ family });
        const shape = { ...PLAIN, ...given };
        const tensors = randomTensors(shape, 3);
        const tokens = shape.inputSize > 100 ? 5 : 67;
        const { x, y } = randomTokens(shape, tokens, 4);
        const { dead, since, deadThreshold } = someDead(shape.latents);
        const batch: ReferenceBatch = { x, y, tokens, k: shape.k, dead, paper: !!compat };
        const options = { compat, since, deadThreshold, chunkTokens: 64 };
        const { gradients, losses } = await trained(gpu, shape, tensors, [{ x, y }], options);
        const expected = referenceLosses(shape, as64(tensors), batch);
        for (const part of ["fvu", "auxk", "multiTopk"] as const) {
          const error = Math.abs(losses[0][part] - expected[part]);
          assert.ok(
            error <= 1e-5 * expected[part],
            `${part}: ${losses[0][part]}, ${expected[part]}`,
          );
        }
        assert.equal(losses[0].dead, dead.filter((is) => is).length);
        const at = someEntries(tensors);
        for (const [name, values] of referenceGradients(shape, as64(tensors), batch, at)) {
          const found = at.get(name)!.map((i) => gradients.get(name)![i]);
          const error = nmse(found, values);
          assert.ok(error <= TOLERANCE, `${name}: normalised mean squared error ${error}`);
        }
      });
    }
  }
}
