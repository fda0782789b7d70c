/** Adam without weight decay (spec train-and-interpret A.4). */
import { recordAdam } from "../../gpu/adam.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows } from "../../gpu/rows.ts";
import type { CoderTensors } from "../initial_tensors.ts";
import type { Parameter } from "../parameter.ts";
import type { LearningRate } from "./learning_rate.ts";
import type { Optimizer } from "./optimizer.ts";
import {
  type OptimizerState,
  readValues,
  restoredScalar,
  restoreTensor,
  stateTensor,
} from "./state.ts";

const BETA_1 = 0.9;
const BETA_2 = 0.999;

interface Moments {
  readonly parameter: Parameter;
  /** Running mean of the gradient. */
  readonly mean: Rows;
  /** Running mean of its square. */
  readonly square: Rows;
}

/** Steps by the mean gradient, in units of its root mean square. */
export class Adam implements Optimizer {
  readonly name = "adam";
  readonly #gpu: Gpu;
  readonly #rate: LearningRate;
  readonly #owned = new DisposableStack();
  readonly #moments: readonly Moments[];
  #steps = 0;

  constructor(gpu: Gpu, parameters: readonly Parameter[], rate: LearningRate) {
    this.#gpu = gpu;
    this.#rate = rate;
    this.#moments = parameters.map((parameter) => ({
      parameter,
      mean: this.#allocate("adam's mean", parameter),
      square: this.#allocate("adam's mean square", parameter),
    }));
  }

  #allocate(label: string, { values: { rows, width } }: Parameter): OwnedRows {
    return this.#owned.use(allocateRows(this.#gpu, label, rows, width));
  }

  get steps(): number {
    return this.#steps;
  }

  get learningRate(): number {
    return this.#rate(this.#steps);
  }

  recordStep(recorder: Recorder): void {
    const rate = this.learningRate;
    const step = { beta1: BETA_1, beta2: BETA_2, rate, t: ++this.#steps };
    for (const { parameter: { values, gradient }, mean, square } of this.#moments) {
      recordAdam(this.#gpu, recorder, { weight: values, mean, square, gradient }, step);
    }
  }

  savedTensors(): Promise<CoderTensors> {
    return readValues(this.#gpu, this.#moments.map(({ parameter }) => parameter));
  }

  state(): OptimizerState {
    const tensors = this.#moments.flatMap(({ parameter, mean, square }) =>
      [
        [`${parameter.name}.exp_avg`, stateTensor(this.#gpu, parameter, mean)],
        [`${parameter.name}.exp_avg_sq`, stateTensor(this.#gpu, parameter, square)],
      ] as const
    );
    return { tensors: new Map(tensors), scalars: { steps: this.#steps } };
  }

  async restore(state: OptimizerState): Promise<void> {
    const steps = restoredScalar(state, "steps");
    for (const { parameter, mean, square } of this.#moments) {
      const { name } = parameter;
      await restoreTensor(this.#gpu, state, `${name}.exp_avg`, parameter, mean);
      await restoreTensor(this.#gpu, state, `${name}.exp_avg_sq`, parameter, square);
    }
    this.#steps = steps;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
