/** One coder in training: its parameters and what optimizes them. */
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { type Rows, rowsBetween } from "../gpu/rows.ts";
import type { Hookpoint } from "../nn/hookpoints.ts";
import { type CoderOptions, TrainableCoder } from "./coder.ts";
import type { CoderTensors } from "./initial_tensors.ts";
import type { OptimizerName } from "./optimizers/learning_rate.ts";
import { openOptimizer, type Optimizer, type OptimizerOptions } from "./optimizers/optimizer.ts";
import type { OptimizerState } from "./optimizers/state.ts";
import type { CoderShape } from "./shape.ts";

/** Which coder is trained. */
export interface CoderPlan {
  /** Its folder: the hookpoint, and `/seed<n>` behind it where there are several. */
  readonly name: string;
  readonly hookpoint: Hookpoint;
  readonly seed: number;
  readonly shape: CoderShape;
}

/** How it is trained. */
export interface CoderTrainingOptions extends CoderOptions {
  readonly optimizer: OptimizerName;
  readonly optimizerOptions: Omit<OptimizerOptions, "unitDecoder" | "compat">;
}

/** How a batch counts. */
export interface MicroBatchOptions {
  /** Active latents per token. */
  readonly k: number;
  /** Pieces that the batch is cut into, each with a loss of its own. */
  readonly pieces: number;
  /** What each piece's loss is multiplied by. */
  readonly scale: number;
}

/** What a coder needs, beside its tensors, to go on as if it had not stopped. */
export interface CoderState {
  readonly optimizer: OptimizerState;
  /** [latents] */
  readonly tokensSinceFired: Uint32Array<ArrayBuffer>;
}

/** A coder and its optimizer. */
export class CoderTraining implements Disposable {
  readonly coder: TrainableCoder;
  readonly optimizer: Optimizer;
  readonly #owned = new DisposableStack();

  /**
   * @throws InputError for a shape that cannot be trained
   * @throws GpuError when it does not fit this adapter or the memory budget
   */
  constructor(
    gpu: Gpu,
    readonly plan: CoderPlan,
    { optimizer, optimizerOptions, ...options }: CoderTrainingOptions,
  ) {
    const { shape } = plan;
    const { compat } = options;
    using undo = new DisposableStack();
    this.coder = undo.use(new TrainableCoder(gpu, shape, options));
    const unitDecoder = shape.normalizeDecoder && !shape.transcode;
    this.optimizer = undo.use(
      openOptimizer(gpu, optimizer, this.coder.parameters, {
        ...optimizerOptions,
        unitDecoder,
        compat,
      }),
    );
    this.#owned = undo.move();
  }

  /**
   * Records forward and backward of a micro-batch.
   *
   * @param x, y as of {@linkcode TrainableCoder.recordBatch}
   * @returns the number of losses that are kept of it
   */
  recordMicroBatch(
    recorder: Recorder,
    x: Rows,
    y: Rows,
    { k, pieces, scale }: MicroBatchOptions,
  ): number {
    const step = Math.ceil(x.rows / pieces);
    let losses = 0;
    for (let from = 0; from < x.rows; from += step) {
      const to = Math.min(x.rows, from + step);
      const inputs = rowsBetween(x, from, to);
      const targets = x === y ? inputs : rowsBetween(y, from, to);
      this.coder.recordBatch(recorder, inputs, targets, { k, scale });
      losses++;
    }
    return losses;
  }

  /**
   * Records what follows the micro-batches of a step.
   *
   * @param tokens of all of them
   */
  recordStep(recorder: Recorder, tokens: number): void {
    this.coder.recordProjection(recorder);
    this.optimizer.recordStep(recorder);
    this.coder.recordZeroGradients(recorder);
    this.coder.recordAge(recorder, tokens);
  }

  /** The state after all that is submitted; tensors of the optimizer are read when asked for. */
  async state(): Promise<CoderState> {
    return {
      optimizer: this.optimizer.state(),
      tokensSinceFired: await this.coder.tokensSinceFired(),
    };
  }

  /**
   * Goes on from where a training was saved.
   *
   * @param tensors what the optimizer saved
   * @throws InputError when the state is not one of this coder
   */
  async restore(tensors: CoderTensors, state: CoderState): Promise<void> {
    this.coder.setTensors(tensors);
    await this.optimizer.restore(state.optimizer);
    this.coder.restoreSinceFired(state.tokensSinceFired);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
