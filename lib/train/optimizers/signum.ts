/** Schedule-free Signum, sparsify's default (spec train-and-interpret A.4). */
import type { Gpu } from "../../gpu/device.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { allocateRows, readRows, type Rows, rowsBetween } from "../../gpu/rows.ts";
import { recordSignum, recordSignumAverage } from "../../gpu/signum.ts";
import { recordNormaliseRows } from "../../gpu/unit_rows.ts";
import type { CoderTensors } from "../initial_tensors.ts";
import type { Parameter, ParameterName } from "../parameter.ts";
import type { Optimizer } from "./optimizer.ts";
import {
  type OptimizerState,
  readValues,
  restoredScalar,
  restoreTensor,
  rowPieces,
  stateTensor,
} from "./state.ts";

/** Share of the average in what is trained. */
const BETA = 0.95;

/** What of {@linkcode OptimizerOptions} concerns Signum. */
export interface SignumOptions {
  readonly unitDecoder?: boolean;
  readonly compat?: "paper";
}

interface Averaged {
  readonly parameter: Parameter;
  /** Where the steps have led; the parameter's values are y, between these and their average x. */
  readonly z: Rows;
}

/** Steps by the sign of the gradient; saves the average of where they led. */
export class Signum implements Optimizer {
  readonly name = "signum";
  readonly #gpu: Gpu;
  readonly #options: SignumOptions;
  readonly #owned = new DisposableStack();
  readonly #averaged: readonly Averaged[];
  #steps = 0;
  #largestRate = 0;
  #weightSum = 0;

  /** @param learningRate of all steps, above 0 */
  constructor(
    gpu: Gpu,
    parameters: readonly Parameter[],
    readonly learningRate: number,
    options: SignumOptions = {},
  ) {
    this.#gpu = gpu;
    this.#options = options;
    this.#averaged = parameters.map((parameter) => {
      const { rows, width } = parameter.values;
      return { parameter, z: this.#owned.use(allocateRows(gpu, "signum's z", rows, width)) };
    });
  }

  get steps(): number {
    return this.#steps;
  }

  recordStep(recorder: Recorder): void {
    const rate = this.learningRate;
    // The rate only changes where a training goes on with another one.
    this.#largestRate = Math.max(this.#largestRate, rate);
    const weight = this.#largestRate ** 2;
    this.#weightSum += weight;
    const step = { beta: BETA, rate, c: weight / this.#weightSum };
    for (const { parameter: { values, gradient }, z } of this.#averaged) {
      if (this.#steps === 0) {
        const bytes = values.rows * values.stride * 4;
        recorder.copy(values.buffer, values.offset, z.buffer, z.offset, bytes);
      }
      recordSignum(this.#gpu, recorder, values, z, gradient, step);
    }
    this.#steps++;
  }

  /** The averages, made beside what is trained. */
  async savedTensors(): Promise<CoderTensors> {
    if (this.#steps === 0) {
      return await readValues(this.#gpu, this.#averaged.map(({ parameter }) => parameter));
    }
    const tensors = new Map<ParameterName, Float32Array<ArrayBuffer>>();
    for (const averaged of this.#averaged) {
      tensors.set(averaged.parameter.name, await this.#average(averaged));
    }
    return tensors;
  }

  async #average({ parameter: { name, values }, z }: Averaged): Promise<Float32Array<ArrayBuffer>> {
    const gpu = this.#gpu;
    const { unitDecoder, compat } = this.#options;
    const pieces = rowPieces(values);
    const { width } = values;
    using scratch = allocateRows(gpu, "signum's average", pieces[0].to, width);
    const average = new Float32Array(values.rows * width);
    for (const { from, to } of pieces) {
      const x = rowsBetween(scratch, 0, to - from);
      const [y, steps] = [values, z].map((rows) => rowsBetween(rows, from, to));
      const recorder = gpu.recorder();
      recordSignumAverage(gpu, recorder, y, steps, x, BETA);
      // Only what is trained is normalised at every batch; its average has shorter rows.
      if (name === "W_dec" && unitDecoder && !compat) recordNormaliseRows(gpu, recorder, x);
      recorder.submit();
      average.set(await readRows(gpu, x), from * width);
    }
    return average;
  }

  /** Holds y as well: it cannot be computed from x and z to the bit. */
  state(): OptimizerState {
    const gpu = this.#gpu;
    const tensors = this.#averaged.flatMap(({ parameter, z }) =>
      [
        [`${parameter.name}.y`, stateTensor(gpu, parameter, parameter.values)],
        [`${parameter.name}.z`, stateTensor(gpu, parameter, z)],
      ] as const
    );
    return {
      tensors: new Map(tensors),
      scalars: {
        steps: this.#steps,
        largestRate: this.#largestRate,
        weightSum: this.#weightSum,
      },
    };
  }

  async restore(state: OptimizerState): Promise<void> {
    const steps = restoredScalar(state, "steps");
    const largestRate = restoredScalar(state, "largestRate");
    const weightSum = restoredScalar(state, "weightSum");
    for (const { parameter, z } of this.#averaged) {
      const { name, values } = parameter;
      await restoreTensor(this.#gpu, state, `${name}.z`, parameter, z);
      if (this.#options.compat === "paper") continue;
      await restoreTensor(this.#gpu, state, `${name}.y`, parameter, values);
    }
    this.#steps = steps;
    this.#largestRate = largestRate;
    this.#weightSum = weightSum;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
