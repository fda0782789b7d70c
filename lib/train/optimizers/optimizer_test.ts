import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../../tests/support/gpu.ts";
import { nmse } from "../../../tests/support/numbers.ts";
import { Fixture } from "../../../tests/support/tensors.ts";
import { InputError } from "../../formats/input_error.ts";
import type { Gpu } from "../../gpu/device.ts";
import { recordAdd, recordMultiply } from "../../gpu/elementwise.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { allocateRows, type OwnedRows, readRows, type Rows, writeRows } from "../../gpu/rows.ts";
import type { CoderTensors } from "../initial_tensors.ts";
import type { Parameter, ParameterName } from "../parameter.ts";
import { type OptimizerName, OPTIMIZERS } from "./learning_rate.ts";
import { openOptimizer, type Optimizer, type OptimizerOptions } from "./optimizer.ts";
import type { OptimizerState } from "./state.ts";

/** Sizes and options of tests/fixtures/train_optimizers/make_trajectories.py. */
const SIZES: [ParameterName, rows: number, width: number][] = [
  ["encoder.weight", 13, 9],
  ["encoder.bias", 1, 13],
  ["W_dec", 11, 9],
  ["b_dec", 1, 9],
  ["W_skip", 9, 9],
];
/** Steps to compare after; fewer where products are slow on a CPU. */
const STEPS = { texture: [1, 2, 10, 50], tile: [1, 2, 10] };
const RATES: Record<OptimizerName, number> = { signum: 0.02, adam: 0.05, muon: 0.03 };

/**
 * How far, squared, what moved may be from where PyTorch moved it: rounding of f32 adds up over fifty
 * steps, and Newton–Schulz iterations enlarge it (see orthogonaliser_test.ts).
 */
const TOLERANCES: Record<OptimizerName, number> = { signum: 1e-11, adam: 1e-11, muon: 1e-9 };
/** In bf16, where roundings are the same but for a sum that lies between two: 5e-4 without them. */
const BF16_TOLERANCE = 1e-5;
/** In bf16 rounded otherwise: the noise of bf16 itself. */
const BF16_NOISE = 3e-3;

function optionsOf(name: OptimizerName): OptimizerOptions {
  return { learningRate: RATES[name], warmUpSteps: 5, steps: 60, unitDecoder: false };
}

/** A quadratic loss Σ h (p - t)² / 2 on the GPU. */
class Quadratic implements Disposable {
  readonly parameters: Parameter[] = [];
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #negativeTargets: Rows[] = [];
  readonly #curvatures: Rows[] = [];

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  static async open(gpu: Gpu, fixture: Fixture): Promise<Quadratic> {
    const quadratic = new Quadratic(gpu);
    for (const [name, rows, width] of SIZES) {
      const upload = (values: Float32Array) => {
        const matrix = quadratic.#rows(rows, width);
        writeRows(gpu, matrix, values);
        return matrix;
      };
      const target = await fixture.floats(`${name}/target`);
      const values = upload(await fixture.floats(`${name}/start`));
      quadratic.parameters.push({ name, values, gradient: quadratic.#rows(rows, width) });
      quadratic.#negativeTargets.push(upload(target.map((value) => -value)));
      quadratic.#curvatures.push(upload(await fixture.floats(`${name}/curvature`)));
    }
    return quadratic;
  }

  #rows(rows: number, width: number): OwnedRows {
    return this.#owned.use(allocateRows(this.#gpu, "quadratic", rows, width));
  }

  recordGradients(recorder: Recorder): void {
    for (const [i, { values, gradient }] of this.parameters.entries()) {
      recorder.copy(values.buffer, 0, gradient.buffer, 0, values.rows * values.stride * 4);
      recordAdd(this.#gpu, recorder, gradient, this.#negativeTargets[i]);
      recordMultiply(this.#gpu, recorder, gradient, this.#curvatures[i]);
    }
  }

  train(optimizer: Optimizer, steps: number): void {
    const recorder = this.#gpu.recorder();
    for (let step = 0; step < steps; step++) {
      this.recordGradients(recorder);
      optimizer.recordStep(recorder);
    }
    recorder.submit();
  }

  async values(): Promise<CoderTensors> {
    const tensors = new Map<ParameterName, Float32Array<ArrayBuffer>>();
    for (const { name, values } of this.parameters) {
      tensors.set(name, await readRows(this.#gpu, values));
    }
    return tensors;
  }

  setValues(tensors: CoderTensors): void {
    for (const { name, values } of this.parameters) {
      writeRows(this.#gpu, values, tensors.get(name) ?? new Float32Array());
    }
  }

  async assertPaddingZero(): Promise<void> {
    for (const { name, values } of this.parameters) {
      const { buffer, rows, stride, width } = values;
      const padded = new Float32Array(await this.#gpu.read(buffer, 0, rows * stride * 4));
      assert.ok(padded.every((value, i) => i % stride < width || value === 0), name);
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

function openFixture(): Promise<Fixture> {
  return Fixture.open("tests/fixtures/train_optimizers/trajectories.safetensors");
}

async function assertLike(
  fixture: Fixture,
  tensors: CoderTensors,
  kept: string,
  tolerance: number,
): Promise<void> {
  for (const [name, values] of tensors) {
    const start = await fixture.floats(`${name}/start`);
    const expected = await fixture.floats(`${kept}/${name}`);
    // What has moved is compared: starts are alike anyway.
    const moved = (tensor: Float32Array) => tensor.map((value, i) => value - start[i]);
    const error = nmse(moved(values), moved(expected));
    assert.ok(error <= tolerance, `${kept}/${name}: ${error}`);
  }
}

/** A copy of a state as a file would hold it. */
async function stored({ tensors, scalars }: OptimizerState): Promise<OptimizerState> {
  const copies: OptimizerState["tensors"] = new Map(
    await Promise.all([...tensors].map(async ([name, tensor]) => {
      const values = await tensor.read();
      return [name, { ...tensor, read: () => Promise.resolve(values) }] as const;
    })),
  );
  return { tensors: copies, scalars: JSON.parse(JSON.stringify(scalars)) };
}

for (const family of FAMILIES) {
  for (const name of OPTIMIZERS) {
    Deno.test(`${name} goes PyTorch's way in f64, ${family}`, async () => {
      using gpu = await openTestGpu({ family });
      using fixture = await openFixture();
      using quadratic = await Quadratic.open(gpu, fixture);
      using optimizer = openOptimizer(gpu, name, quadratic.parameters, optionsOf(name));
      for (const step of STEPS[family]) {
        quadratic.train(optimizer, step - optimizer.steps);
        await assertLike(fixture, await quadratic.values(), `${name}/${step}`, TOLERANCES[name]);
        const saved = name === "signum" ? "signum_saved" : name;
        await assertLike(
          fixture,
          await optimizer.savedTensors(),
          `${saved}/${step}`,
          TOLERANCES[name],
        );
      }
      await quadratic.assertPaddingZero();
    });
  }

  Deno.test(`muon as the paper's goes sparsify's way in bf16, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    using fixture = await openFixture();
    using quadratic = await Quadratic.open(gpu, fixture);
    const options: OptimizerOptions = { ...optionsOf("muon"), compat: "paper" };
    using optimizer = openOptimizer(gpu, "muon", quadratic.parameters, options);
    for (const step of STEPS[family]) {
      quadratic.train(optimizer, step - optimizer.steps);
      const values = new Map(await quadratic.values());
      await assertLike(fixture, values, `muon_paper/${step}`, BF16_NOISE);
      values.delete("W_skip");
      await assertLike(fixture, values, `muon_paper/${step}`, BF16_TOLERANCE);
    }
  });
}

for (const name of OPTIMIZERS) {
  Deno.test(`${name} goes on from its state to the bit, and saving changes nothing`, async () => {
    using gpu = await openTestGpu();
    using fixture = await openFixture();
    using whole = await Quadratic.open(gpu, fixture);
    using uninterrupted = openOptimizer(gpu, name, whole.parameters, optionsOf(name));
    whole.train(uninterrupted, 20);

    using first = await Quadratic.open(gpu, fixture);
    using stopped = openOptimizer(gpu, name, first.parameters, optionsOf(name));
    first.train(stopped, 7);
    const saved = await stopped.savedTensors();
    const state = await stored(stopped.state());
    first.train(stopped, 13);
    assert.deepEqual(await first.values(), await whole.values());

    using second = await Quadratic.open(gpu, fixture);
    using resumed = openOptimizer(gpu, name, second.parameters, optionsOf(name));
    second.setValues(saved);
    await resumed.restore(state);
    assert.equal(resumed.steps, 7);
    assert.deepEqual(await resumed.savedTensors(), saved);
    second.train(resumed, 13);
    assert.deepEqual(await second.values(), await whole.values());
    assert.deepEqual(
      await resumed.savedTensors(),
      await uninterrupted.savedTensors(),
    );
    assert.deepEqual(resumed.state().scalars, uninterrupted.state().scalars);
  });

  Deno.test(`${name} that has not stepped saves what it was given, and goes on from that`, async () => {
    using gpu = await openTestGpu();
    using fixture = await openFixture();
    using quadratic = await Quadratic.open(gpu, fixture);
    using optimizer = openOptimizer(gpu, name, quadratic.parameters, optionsOf(name));
    const start = await quadratic.values();
    assert.deepEqual(await optimizer.savedTensors(), start);
    using other = openOptimizer(gpu, name, quadratic.parameters, optionsOf(name));
    await other.restore(await stored(optimizer.state()));
    quadratic.train(optimizer, 3);
    const trained = await quadratic.values();
    quadratic.setValues(start);
    quadratic.train(other, 3);
    assert.deepEqual(await quadratic.values(), trained);
  });
}

Deno.test("as the paper's, signum goes on from what was saved", async () => {
  using gpu = await openTestGpu();
  using fixture = await openFixture();
  using quadratic = await Quadratic.open(gpu, fixture);
  const options: OptimizerOptions = { ...optionsOf("signum"), compat: "paper" };
  using optimizer = openOptimizer(gpu, "signum", quadratic.parameters, options);
  quadratic.train(optimizer, 7);
  const saved = await optimizer.savedTensors();
  const state = await stored(optimizer.state());
  assert.notDeepEqual(saved, await quadratic.values());
  quadratic.setValues(saved);
  await optimizer.restore(state);
  assert.deepEqual(await quadratic.values(), saved);
});

Deno.test("signum saves decoder rows of length 1 where they are trained so, but not as the paper's", async () => {
  using gpu = await openTestGpu();
  using fixture = await openFixture();
  using quadratic = await Quadratic.open(gpu, fixture);
  const unit = { ...optionsOf("signum"), unitDecoder: true };
  using optimizer = openOptimizer(gpu, "signum", quadratic.parameters, unit);
  using paper = openOptimizer(gpu, "signum", quadratic.parameters, { ...unit, compat: "paper" });
  quadratic.train(optimizer, 5);
  await paper.restore(await stored(optimizer.state()));
  const lengths = async (one: Optimizer, name: ParameterName) => {
    const values = (await one.savedTensors()).get(name) ?? new Float32Array();
    const rows = Array.from(
      { length: values.length / 9 },
      (_, i) => values.subarray(9 * i, 9 * i + 9),
    );
    return rows.map((row) => Math.hypot(...row));
  };
  const isUnit = (length: number) => Math.abs(length - 1) < 1e-6;
  assert.ok((await lengths(optimizer, "W_dec")).every(isUnit));
  assert.ok(!(await lengths(optimizer, "encoder.weight")).some(isUnit));
  assert.ok(!(await lengths(paper, "W_dec")).some(isUnit));
});

Deno.test("signum's average weighs steps by the largest rate so far", async () => {
  using gpu = await openTestGpu();
  using fixture = await openFixture();
  using quadratic = await Quadratic.open(gpu, fixture);
  using fast = openOptimizer(gpu, "signum", quadratic.parameters, optionsOf("signum"));
  quadratic.train(fast, 4);
  const slower = { ...optionsOf("signum"), learningRate: 0.001 };
  using slow = openOptimizer(gpu, "signum", quadratic.parameters, slower);
  await slow.restore(await stored(fast.state()));
  quadratic.train(slow, 1);
  const { steps, largestRate, weightSum } = slow.state().scalars;
  assert.deepEqual([steps, largestRate], [5, 0.02]);
  assert.ok(Math.abs(weightSum - 5 * 0.02 ** 2) < 1e-15);
});

Deno.test("states that are not this optimizer's are refused in a sentence", async () => {
  using gpu = await openTestGpu();
  using fixture = await openFixture();
  using quadratic = await Quadratic.open(gpu, fixture);
  const open = (name: OptimizerName) =>
    openOptimizer(gpu, name, quadratic.parameters, optionsOf(name));
  using signum = open("signum");
  using adam = open("adam");
  using muon = open("muon");
  const refused = async (optimizer: Optimizer, state: OptimizerState, message: RegExp) => {
    await assert.rejects(() => optimizer.restore(state), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  };
  await refused(adam, signum.state(), /has no tensor encoder\.weight\.exp_avg/);
  await refused(signum, adam.state(), /largestRate .* is undefined/);
  const { tensors, scalars } = muon.state();
  await refused(muon, { tensors, scalars: { steps: -1 } }, /steps .* is -1/);
  await refused(muon, { tensors, scalars: { steps: NaN } }, /steps .* is NaN/);
  const reshaped = new Map(tensors);
  const empty = () => Promise.resolve(new Float32Array(99));
  reshaped.set("W_dec.exp_avg", { shape: [9, 11], read: empty });
  await refused(muon, { tensors: reshaped, scalars }, /W_dec\.exp_avg .*\[9,11\].*\[11,9\]/);
});
