import assert from "node:assert/strict";
import {
  type ReferenceBatch,
  referenceGradients,
  referenceLosses,
  type Tensors64,
} from "../../tests/support/coder_reference.ts";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { Fixture, projectPath } from "../../tests/support/tensors.ts";
import { InputError } from "../formats/input_error.ts";
import type { Gpu } from "../gpu/device.ts";
import { allocateRows, type OwnedRows, readRows, writeRows } from "../gpu/rows.ts";
import type { Losses } from "./batch_losses.ts";
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

/** What a case is to make, which both families have to. */
function expectedOf(given: Partial<CoderShape>, compat: "paper" | undefined) {
  const shape = { ...PLAIN, ...given };
  const tensors = randomTensors(shape, 3);
  const tokens = shape.inputSize > 100 ? 5 : 67;
  const { x, y } = randomTokens(shape, tokens, 4);
  const { dead, since, deadThreshold } = someDead(shape.latents);
  const batch: ReferenceBatch = { x, y, tokens, k: shape.k, dead, paper: !!compat };
  const at = someEntries(tensors);
  return {
    ...{ shape, tensors, x, y, dead, at },
    options: { compat, since, deadThreshold, chunkTokens: 64 },
    losses: referenceLosses(shape, as64(tensors), batch),
    gradients: referenceGradients(shape, as64(tensors), batch, at),
  };
}

const EXPECTED = Object.entries(CASES).flatMap(([name, given]) =>
  ([undefined, "paper"] as const).map((compat) => ({
    name: compat ? `${name}, compat` : name,
    expected: once(() => expectedOf(given, compat)),
  }))
);

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

for (const family of FAMILIES) {
  Deno.test(`losses and gradients of coders by differences in f64: ${family}`, async (test) => {
    using gpu = await openTestGpu({ family });
    for (const { name, expected } of EXPECTED) {
      await test.step(name, async () => {
        const { shape, tensors, x, y, dead, at, options, losses, gradients } = expected();
        const found = await trained(gpu, shape, tensors, [{ x, y }], options);
        assertLosses(found.losses[0], losses);
        assert.equal(found.losses[0].dead, dead.filter((is) => is).length);
        for (const [tensor, values] of gradients) {
          const some = at.get(tensor)!.map((i) => found.gradients.get(tensor)![i]);
          assertClose(tensor, some, values);
        }
      });
    }
  });

  Deno.test(`losses and gradients of coders as sparsify and PyTorch have them: ${family}`, async (test) => {
    using gpu = await openTestGpu({ family });
    using fixture = await Fixture.open("tests/fixtures/train/gradients.safetensors");
    const coders: Record<string, FixtureShape> = JSON.parse(
      await Deno.readTextFile(projectPath("tests/fixtures/train/gradients.json")),
    );
    const [x, y] = [await fixture.floats("x"), await fixture.floats("y")];
    const since = Uint32Array.from(await fixture.floats("dead"), (dead) => 100 + dead);
    for (const [name, words] of Object.entries(coders)) {
      for (const compat of [undefined, "paper"] as const) {
        await test.step(`${name}${compat ? ", compat" : ""}`, async () => {
          const shape = fixtureShape(words, since.length, x.length / 13);
          const tensors = new Map<ParameterName, Float32Array<ArrayBuffer>>();
          for (const [tensor] of tensorSizes(shape)) {
            tensors.set(tensor, await fixture.floats(tensor));
          }
          const target = shape.transcode ? y : x;
          const options = { compat, since, deadThreshold: 100 };
          const found = await trained(gpu, shape, tensors, [{ x, y: target }], options);
          const prefix = `${name}/${compat ?? "fixed"}`;
          const [fvu, auxk, multiTopk] = await fixture.floats(`${prefix}/losses`);
          assertLosses(found.losses[0], { fvu, auxk, multiTopk });
          for (const [tensor, values] of found.gradients) {
            assertClose(tensor, values, await fixture.floats(`${prefix}/${tensor}`));
          }
        });
      }
    }
  });

  Deno.test(`a step is the same to the bit in every run and every chunk: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const shape = { ...PLAIN, multiTopk: true, auxkAlpha: 0.5, normalizeDecoder: true };
    const tensors = randomTensors(shape, 6);
    const batch = randomTokens(shape, 300, 7);
    const { since, deadThreshold } = someDead(shape.latents);
    const run = (chunkTokens: number, pieceTokens: number) =>
      trained(gpu, shape, tensors, [batch], { chunkTokens, pieceTokens, since, deadThreshold });
    const whole = await run(320, 320);
    for (const [chunk, piece] of [[320, 320], [320, 128], [64, 64], [128, 64]]) {
      assert.deepEqual(await run(chunk, piece), whole);
    }
  });

  Deno.test(`gradients of batches add up, times their scale: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const shape = { ...PLAIN, skipConnection: true, multiTopk: true };
    const tensors = randomTensors(shape, 8);
    const batches = [randomTokens(shape, 31, 9), randomTokens(shape, 200, 10)];
    const alone = [];
    for (const batch of batches) alone.push(await trained(gpu, shape, tensors, [batch]));
    const halves = batches.map((batch) => ({ ...batch, scale: 0.5 }));
    const both = await trained(gpu, shape, tensors, halves, { chunkTokens: 64 });
    // The losses themselves are not scaled.
    for (const [i, { losses: [losses] }] of alone.entries()) assertLosses(both.losses[i], losses);
    for (const [tensor, values] of both.gradients) {
      const [first, second] = alone.map(({ gradients }) => gradients.get(tensor)!);
      assertClose(tensor, values, first.map((value, i) => (value + second[i]) / 2));
    }
  });

  Deno.test(`decoders in parts, as where a binding does not hold them whole: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const shape = { ...PLAIN, latents: 150, multiTopk: true, auxkAlpha: 0.5, transcode: false };
    const tensors = randomTensors(shape, 11);
    const batch = randomTokens(shape, 67, 12);
    const { since, deadThreshold } = someDead(shape.latents);
    const options = { since, deadThreshold, chunkTokens: 128 };
    const whole = await trained(gpu, shape, tensors, [batch], options);
    using narrow = await openTestGpu({ family });
    // 64 rows of the decoder: three parts, the last of 22.
    withBindingsOf(narrow, 64 * 64 * 4);
    const parts = await trained(narrow, shape, tensors, [batch], options);
    assertLosses(parts.losses[0], whole.losses[0]);
    for (const [tensor, values] of parts.gradients) {
      assertClose(tensor, values, whole.gradients.get(tensor)!);
    }
  });
}

Deno.test("k may be another in every step", async () => {
  using gpu = await openTestGpu();
  const shape = { ...PLAIN, k: 2, multiTopk: true };
  const tensors = randomTensors(shape, 13);
  const { x, y } = randomTokens(shape, 67, 14);
  const options = { mostK: 60 };
  const ks = [60, 7, 2];
  const found = await trained(gpu, shape, tensors, ks.map((k) => ({ x, y, k })), options);
  for (const [i, k] of ks.entries()) {
    const batch = { x, y, tokens: 67, k, paper: false };
    assertLosses(found.losses[i], referenceLosses(shape, as64(tensors), batch));
  }
});

Deno.test("latents die when they have not fired in more tokens than the threshold", async () => {
  using gpu = await openTestGpu();
  for (const compat of [undefined, "paper"] as const) {
    for (const multiTopk of [false, true]) {
      // Latent i reads column i. On tokens of (1, 0, 0, 0, 0) only latent 0 is above 0, and the slots
      // that are left over go to the lowest indices.
      const shape = { ...PLAIN, inputSize: 5, latents: 5, k: 1, transcode: true, multiTopk };
      using coder = new TrainableCoder(gpu, shape, { batchTokens: 70, deadThreshold: 100, compat });
      const identity = Float32Array.from({ length: 25 }, (_, i) => i % 6 === 0 ? 1 : 0);
      coder.setTensors(new Map([["encoder.weight", identity]]));
      using x = upload(gpu, Float32Array.from({ length: 350 }, (_, i) => i % 5 ? 0 : 1 + i), 5);
      const recorder = gpu.recorder();
      for (let step = 0; step < 2; step++) {
        coder.recordBatch(recorder, x, x);
        coder.recordAge(recorder, 70);
      }
      coder.recordBatch(recorder, x, x);
      recorder.submit();
      // Published, Multi-TopK's four slots count as fired, though all but one are 0.
      const fires = compat && multiTopk ? 4 : 1;
      const since = Array.from({ length: 5 }, (_, i) => i < fires ? 0 : 140);
      assert.deepEqual(Array.from(await coder.tokensSinceFired()), since);
      const dead = (await coder.takeLosses()).map((losses) => losses.dead);
      assert.deepEqual(dead, [0, 0, 5 - fires]);
    }
  }
});

Deno.test("counts of tokens since latents fired can be taken up again, and do not overflow", async () => {
  using gpu = await openTestGpu();
  using coder = new TrainableCoder(gpu, PLAIN, { batchTokens: 1, deadThreshold: 10 });
  const since = Uint32Array.from({ length: 70 }, (_, i) => i === 0 ? 2 ** 32 - 3 : i);
  coder.restoreSinceFired(since);
  assert.deepEqual(await coder.tokensSinceFired(), since);
  const recorder = gpu.recorder();
  coder.recordAge(recorder, 9);
  recorder.submit();
  const older = since.map((count, i) => i === 0 ? 2 ** 32 - 1 : count + 9);
  assert.deepEqual(await coder.tokensSinceFired(), older);
  assert.throws(() => coder.restoreSinceFired(new Uint32Array(3)), RangeError);
});

Deno.test("biases start from the means of the first batch", async () => {
  using gpu = await openTestGpu();
  for (const transcode of [false, true]) {
    const shape = { ...PLAIN, transcode };
    const { inputSize: width, latents } = shape;
    const { x, y } = randomTokens(shape, 131, 15);
    using coder = new TrainableCoder(gpu, shape, { batchTokens: 131, chunkTokens: 64 });
    coder.setTensors(randomTensors(shape, 16));
    using input = upload(gpu, x, width);
    using target = upload(gpu, y, width);
    const recorder = gpu.recorder();
    coder.recordBiasStart(recorder, input, target);
    recorder.submit();
    const before = randomTensors(shape, 16);
    const after = await coder.tensors();
    assertClose("b_dec", after.get("b_dec")!, meanRow(y, width));
    const mean = meanRow(x, width);
    const weight = before.get("encoder.weight")!;
    const bias = transcode
      ? Float64Array.from(
        { length: latents },
        (_, i) => -mean.reduce((sum, value, c) => sum + value * weight[i * width + c], 0),
      )
      : before.get("encoder.bias")!;
    assertClose("encoder.bias", after.get("encoder.bias")!, bias);
  }
});

Deno.test("unit decoder rows: normalised before a batch, gradients projected before a step", async () => {
  using gpu = await openTestGpu();
  for (const transcode of [false, true]) {
    const shape = { ...PLAIN, normalizeDecoder: true, transcode };
    const tensors = randomTensors(shape, 17);
    const { x, y } = randomTokens(shape, 67, 18);
    using coder = new TrainableCoder(gpu, shape, { batchTokens: 67 });
    coder.setTensors(tensors);
    using input = upload(gpu, x, shape.inputSize);
    using target = upload(gpu, y, shape.inputSize);
    const { gradient } = coder.parameters.find(({ name }) => name === "W_dec")!;
    let recorder = gpu.recorder();
    coder.recordBatch(recorder, input, target);
    recorder.submit();
    const raw = await readRows(gpu, gradient);
    recorder = gpu.recorder();
    coder.recordProjection(recorder);
    recorder.submit();
    const projected = await readRows(gpu, gradient);
    const decoder = (await coder.tensors()).get("W_dec")!;
    if (transcode) {
      assert.deepEqual(decoder, tensors.get("W_dec"));
      assert.deepEqual(projected, raw);
      continue;
    }
    for (let i = 0; i < shape.latents; i++) {
      const row = (values: Float32Array) =>
        Float64Array.from(values.subarray(i * shape.inputSize, (i + 1) * shape.inputSize));
      const initial = row(tensors.get("W_dec")!);
      const unit = initial.map((value) => value / (Math.hypot(...initial) + 2 ** -23));
      assertClose(`row ${i}`, row(decoder), unit);
      const along = row(raw).reduce((sum, value, c) => sum + value * unit[c], 0);
      assertClose(`gradient ${i}`, row(projected), row(raw).map((g, c) => g - along * unit[c]));
    }
  }
});

Deno.test("an evaluation is the FVU of a batch and changes nothing", async () => {
  using gpu = await openTestGpu();
  const shape = { ...PLAIN, multiTopk: true, auxkAlpha: 1 };
  const tensors = randomTensors(shape, 19);
  const { x, y } = randomTokens(shape, 67, 20);
  using coder = new TrainableCoder(gpu, shape, { batchTokens: 67 });
  coder.setTensors(tensors);
  using input = upload(gpu, x, shape.inputSize);
  const recorder = gpu.recorder();
  coder.recordEvaluation(recorder, input, input);
  coder.recordAge(recorder, 67);
  recorder.submit();
  const { fvu } = referenceLosses(shape, as64(tensors), { x, y, tokens: 67, k: 3, paper: false });
  assertLosses((await coder.takeLosses())[0], { fvu, auxk: 0, multiTopk: 0 });
  assert.ok((await coder.tokensSinceFired()).every((since) => since === 67));
  for (const { gradient } of coder.parameters) {
    assert.ok((await readRows(gpu, gradient)).every((value) => value === 0));
  }
  assert.deepEqual(await coder.tensors(), tensors);
});

Deno.test("gradients can be zeroed; targets that do not vary teach nothing", async () => {
  using gpu = await openTestGpu();
  const shape = { ...PLAIN, skipConnection: true };
  using coder = new TrainableCoder(gpu, shape, { batchTokens: 67 });
  coder.setTensors(randomTensors(shape, 21));
  const { x } = randomTokens(shape, 67, 22);
  const zero = async () => {
    const recorder = gpu.recorder();
    coder.recordZeroGradients(recorder);
    recorder.submit();
    for (const { gradient } of coder.parameters) {
      assert.ok((await readRows(gpu, gradient)).every((value) => value === 0));
    }
  };
  using input = upload(gpu, x, shape.inputSize);
  using constant = upload(gpu, new Float32Array(x.length).fill(2), shape.inputSize);
  for (const target of [input, constant]) {
    const recorder = gpu.recorder();
    coder.recordBatch(recorder, input, target);
    recorder.submit();
    for (const { name, gradient } of coder.parameters) {
      const moves = (await readRows(gpu, gradient)).some((value) => value !== 0);
      assert.equal(moves, target === input, name);
    }
    await zero();
  }
});

Deno.test("shapes and batches that make no sense are refused", async () => {
  using gpu = await openTestGpu();
  const refused: [Partial<CoderShape>, RegExp][] = [
    [{ k: 0 }, /a coder's k is 0, but must be a whole number from 1 on/],
    [{ inputSize: 2.5 }, /inputSize is 2\.5/],
    [{ k: 71 }, /k is 71, but the coder has only 70 latents/],
    [{ activation: "groupmax", k: 3 }, /k = 3 does not divide 70 latents/],
  ];
  for (const [given, message] of refused) {
    const make = () => new TrainableCoder(gpu, { ...PLAIN, ...given }, { batchTokens: 1 });
    assert.throws(make, (error) => error instanceof InputError && message.test(error.message));
  }
  using coder = new TrainableCoder(gpu, PLAIN, { batchTokens: 4, mostBatches: 1 });
  using x = allocateRows(gpu, "x", 5, 33);
  const recorder = gpu.recorder();
  assert.throws(() => coder.recordBatch(recorder, x, x), /up to 4 tokens/);
  using few = allocateRows(gpu, "x", 4, 33);
  coder.recordBatch(recorder, few, few);
  assert.throws(() => coder.recordBatch(recorder, few, few), /losses of 1 batches/);
  assert.throws(() => coder.setTensors(new Map([["W_skip", new Float32Array(1)]])), /no W_skip/);
});

interface FixtureShape {
  readonly activation: "topk" | "groupmax";
  readonly k: number;
  readonly transcode: boolean;
  readonly skip_connection: boolean;
  readonly multi_topk: boolean;
  readonly alpha: number;
}

function fixtureShape(words: FixtureShape, latents: number, inputSize: number): CoderShape {
  return {
    ...{ inputSize, latents },
    k: words.k,
    activation: words.activation,
    transcode: words.transcode,
    skipConnection: words.skip_connection,
    normalizeDecoder: false,
    multiTopk: words.multi_topk,
    auxkAlpha: words.alpha,
  };
}

type LossParts = Pick<Losses, "fvu" | "auxk" | "multiTopk">;

function assertLosses(found: LossParts, expected: LossParts): void {
  for (const part of ["fvu", "auxk", "multiTopk"] as const) {
    const error = Math.abs(found[part] - expected[part]);
    assert.ok(error <= 1e-5 * expected[part], `${part}: ${found[part]}, not ${expected[part]}`);
  }
}

function assertClose(what: string, found: ArrayLike<number>, expected: ArrayLike<number>): void {
  const error = nmse(found, expected);
  assert.ok(error <= TOLERANCE, `${what}: normalised mean squared error ${error}`);
}

function meanRow(values: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  for (const [i, value] of values.entries()) mean[i % width] += value * width / values.length;
  return mean;
}

/** Lets a device pretend that its bindings are small. */
function withBindingsOf(gpu: Gpu, bytes: number): void {
  const limits = new Proxy(gpu.limits, {
    get: (real, name) =>
      name === "maxStorageBufferBindingSize" ? bytes : Reflect.get(real, name, real),
  });
  Object.defineProperty(gpu, "limits", { value: limits });
}
