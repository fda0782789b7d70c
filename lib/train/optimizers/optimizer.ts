/** Optimizers of SAE training: what turns gradients into new parameters. */
import type { Gpu } from "../../gpu/device.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import type { CoderTensors } from "../initial_tensors.ts";
import type { Parameter } from "../parameter.ts";
import { Adam } from "./adam.ts";
import { type OptimizerName, warmUpThenDecay } from "./learning_rate.ts";
import { Muon } from "./muon.ts";
import { Signum } from "./signum.ts";
import type { OptimizerState } from "./state.ts";

/** Trains the parameters of one coder. */
export interface Optimizer extends Disposable {
  readonly name: OptimizerName;
  /** Steps so far. */
  readonly steps: number;
  /** Learning rate of the next step (of matrices, where biases have their own). */
  readonly learningRate: number;
  /**
   * Records one update of all parameters from their gradients. These may be overwritten on the way,
   * and it is for the caller to zero them afterwards.
   */
  recordStep(recorder: Recorder): void;
  /**
   * Reads the values that a trained coder is saved with, once everything recorded is submitted. Not a
   * bit of the training changes by it.
   */
  savedTensors(): Promise<CoderTensors>;
  /** What {@linkcode restore} needs beside the saved tensors for going on. */
  state(): OptimizerState;
  /**
   * Goes on from a state: call it when the parameters hold the saved tensors. Steps from there on are
   * bit-equal to those of an uninterrupted training, but for `compat: "paper"`.
   *
   * @throws InputError when the state is not one of this optimizer and these parameters
   */
  restore(state: OptimizerState): Promise<void>;
}

/** How a coder is optimized. */
export interface OptimizerOptions {
  /** The highest learning rate, above 0: see {@linkcode defaultLearningRate}. */
  readonly learningRate: number;
  /** Steps in which Adam's rate rises. Signum has no schedule, Muon's matrices no warm-up. */
  readonly warmUpSteps: number;
  /** Steps at whose end rates are 0: see {@linkcode scheduledSteps}. */
  readonly steps: number;
  /** Rows of W_dec are kept at length 1: so are those of what is saved. */
  readonly unitDecoder: boolean;
  /**
   * What sparsify 1.1.3 to 1.3.0 do: Signum saves decoders that are not normalised, and goes on from
   * what is saved instead of what was trained; Muon computes in bf16.
   */
  readonly compat?: "paper";
}

/**
 * An optimizer by its name.
 *
 * @param parameters of one coder, in an order that stays
 * @throws GpuError when its state does not fit this adapter or the memory budget
 */
export function openOptimizer(
  gpu: Gpu,
  name: OptimizerName,
  parameters: readonly Parameter[],
  { learningRate, warmUpSteps, steps, unitDecoder, compat }: OptimizerOptions,
): Optimizer {
  const warmed = warmUpThenDecay(learningRate, warmUpSteps, steps);
  switch (name) {
    case "signum":
      return new Signum(gpu, parameters, learningRate, { unitDecoder, compat });
    case "adam":
      return new Adam(gpu, parameters, warmed);
    case "muon": {
      const matrices = warmUpThenDecay(learningRate, 0, steps);
      return new Muon(gpu, parameters, { matrices, vectors: warmed }, { compat });
    }
  }
}
