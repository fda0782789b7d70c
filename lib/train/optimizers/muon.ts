/** Muon for matrices, Adam for biases (spec train-and-interpret A.4). */
import type { Gpu } from "../../gpu/device.ts";
import { recordDecayedStep, recordNesterov } from "../../gpu/muon.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { allocateRows, type Rows } from "../../gpu/rows.ts";
import type { CoderTensors } from "../initial_tensors.ts";
import type { Parameter } from "../parameter.ts";
import { Adam } from "./adam.ts";
import type { LearningRate } from "./learning_rate.ts";
import type { Optimizer } from "./optimizer.ts";
import { Orthogonaliser } from "./orthogonaliser.ts";
import { PaperOrthogonaliser } from "./paper_orthogonaliser.ts";
import {
  isMatrix,
  type OptimizerState,
  readValues,
  restoredScalar,
  restoreTensor,
  stateTensor,
} from "./state.ts";

const MOMENTUM = 0.95;
const WEIGHT_DECAY = 0.1;

interface Moving {
  readonly parameter: Parameter;
  /** Running mean of the gradient. */
  readonly momentum: Rows;
}

/**
 * Steps of matrices by a mean gradient all of whose singular values are made about 1. The state names
 * tensors by the parameters, so their order says nothing (the original's changed between processes).
 */
export class Muon implements Optimizer {
  readonly name = "muon";
  readonly #gpu: Gpu;
  readonly #rate: LearningRate;
  readonly #parameters: readonly Parameter[];
  readonly #owned = new DisposableStack();
  readonly #moving: readonly Moving[];
  readonly #orthogonaliser: Orthogonaliser | PaperOrthogonaliser;
  readonly #adam: Adam;
  #steps = 0;

  /** @param parameters matrices of one width, and biases */
  constructor(
    gpu: Gpu,
    parameters: readonly Parameter[],
    rates: { readonly matrices: LearningRate; readonly vectors: LearningRate },
    { compat }: { readonly compat?: "paper" } = {},
  ) {
    this.#gpu = gpu;
    this.#rate = rates.matrices;
    this.#parameters = parameters;
    const matrices = parameters.filter(({ name }) => isMatrix(name));
    const vectors = parameters.filter(({ name }) => !isMatrix(name));
    this.#moving = matrices.map((parameter) => {
      const { rows, width } = parameter.values;
      const momentum = this.#owned.use(allocateRows(gpu, "muon's momentum", rows, width));
      return { parameter, momentum };
    });
    const mostRows = Math.max(...matrices.map(({ values }) => values.rows));
    const [{ values: { width } }] = matrices;
    this.#orthogonaliser = this.#owned.use(
      compat === "paper"
        ? new PaperOrthogonaliser(gpu, mostRows, width)
        : new Orthogonaliser(gpu, mostRows, width),
    );
    this.#adam = this.#owned.use(new Adam(gpu, vectors, rates.vectors));
  }

  get steps(): number {
    return this.#steps;
  }

  get learningRate(): number {
    return this.#rate(this.#steps);
  }

  /** Gradients of matrices become what is subtracted. */
  recordStep(recorder: Recorder): void {
    const rate = this.learningRate;
    for (const { parameter: { values, gradient }, momentum } of this.#moving) {
      recordNesterov(this.#gpu, recorder, momentum, gradient, MOMENTUM);
      this.#orthogonaliser.record(recorder, gradient);
      const step = rate * 0.2 * Math.sqrt(Math.max(values.rows, values.width));
      const keep = 1 - rate * WEIGHT_DECAY;
      recordDecayedStep(this.#gpu, recorder, values, gradient, { keep, step });
    }
    this.#adam.recordStep(recorder);
    this.#steps++;
  }

  savedTensors(): Promise<CoderTensors> {
    return readValues(this.#gpu, this.#parameters);
  }

  state(): OptimizerState {
    const { tensors, scalars } = this.#adam.state();
    const moving = this.#moving.map(({ parameter, momentum }) =>
      [`${parameter.name}.exp_avg`, stateTensor(this.#gpu, parameter, momentum)] as const
    );
    return { tensors: new Map([...moving, ...tensors]), scalars };
  }

  async restore(state: OptimizerState): Promise<void> {
    const steps = restoredScalar(state, "steps");
    for (const { parameter, momentum } of this.#moving) {
      await restoreTensor(this.#gpu, state, `${parameter.name}.exp_avg`, parameter, momentum);
    }
    await this.#adam.restore(state);
    this.#steps = steps;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
