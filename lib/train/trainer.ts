/**
 * Trains the coders of some hookpoints on the activations of a model (spec train-and-interpret A.3).
 *
 * A micro-batch is one forward pass, which ends at the last hookpoint; coders are trained inside it,
 * so that no activations are kept. Nothing is awaited but what keeps the queue short.
 */
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { Rows } from "../gpu/rows.ts";
import { pack } from "../nn/batch.ts";
import type { Llama } from "../nn/llama.ts";
import type { Losses } from "./batch_losses.ts";
import type { CoderTraining } from "./coder_training.ts";
import type { TokenBatch } from "./batches.ts";
import { decayedK } from "./k_decay.ts";
import { type KeptTokens, ModuleRows } from "./module_rows.ts";
import { type CoderShape, narrowest } from "./shape.ts";

/** How coders are trained together. */
export interface TrainerOptions {
  /** Most tokens of a micro-batch. */
  readonly batchTokens: number;
  /** Tokens that are not trained on; the model reads them. */
  readonly excluded: ReadonlySet<number>;
  /** Micro-batches of a step. */
  readonly gradAccSteps: number;
  /** Pieces of a micro-batch that coders see one after the other. */
  readonly microAccSteps: number;
  /** Micro-batches in which k falls to what it is to be. */
  readonly kDecaySteps: number;
  /** Biases begin with what the first micro-batch has: not where a coder was trained before. */
  readonly biasStart: boolean;
  /** "paper": microAccSteps only divides gradients and losses. */
  readonly compat?: "paper";
}

/** How far a training is. */
export interface Position {
  /** Of the optimizers. */
  readonly steps: number;
  readonly microBatches: number;
  /** Trained on. */
  readonly tokens: number;
}

/** What is known of a step of one coder: means over its batches. */
export interface CoderMetrics extends Losses {
  /** Learning rate of the step. */
  readonly rate: number;
}

/** What is known of a step. */
export interface StepMetrics {
  /** Steps, this one included. */
  readonly step: number;
  /** Tokens trained on, this step's included. */
  readonly tokens: number;
  /** Active latents per token. */
  readonly k: number;
  /** By coder; undefined where no token of the step was trained on. */
  readonly coders: readonly (CoderMetrics | undefined)[];
}

interface UnreadStep {
  readonly step: number;
  readonly tokens: number;
  readonly k: number;
  readonly rates: readonly number[];
  /** Losses that the step has of each coder. */
  readonly losses: number;
}

/** Steps that may be submitted and not done: enough to keep a GPU busy, few enough for its memory. */
const STEPS_IN_FLIGHT = 4;

/** Runs steps of training. */
export class Trainer implements Disposable {
  readonly #gpu: Gpu;
  readonly #llama: Llama;
  readonly #options: TrainerOptions;
  readonly #rows: ModuleRows;
  readonly #narrowest: CoderShape;
  readonly #inFlight: Promise<void>[] = [];
  #biasStart: boolean;
  #unread: UnreadStep[] = [];
  #position: Position = { steps: 0, microBatches: 0, tokens: 0 };

  /** @param coders one or more, all of one kind; they stay the caller's */
  constructor(
    gpu: Gpu,
    llama: Llama,
    readonly coders: readonly CoderTraining[],
    options: TrainerOptions,
  ) {
    this.#gpu = gpu;
    this.#llama = llama;
    this.#options = options;
    this.#biasStart = options.biasStart;
    this.#narrowest = narrowest(coders.map(({ plan }) => plan.shape));
    llama.prepare(options.batchTokens);
    this.#rows = new ModuleRows(gpu, options.batchTokens, coders[0].plan.shape.transcode);
  }

  get position(): Position {
    return this.#position;
  }

  /** Goes on from a position; the coders have to be restored as well. */
  restore(position: Position): void {
    this.#position = position;
    this.#biasStart = false;
  }

  /** Losses of each coder that have not been read. */
  get unreadLosses(): number {
    return this.#unread.reduce((sum, { losses }) => sum + losses, 0);
  }

  /** Active latents per token of the next step. */
  get k(): number {
    return decayedK(this.#narrowest, this.#position.microBatches, this.#options.kDecaySteps);
  }

  /**
   * Trains on the micro-batches of one step: as many as the options say. The work is submitted; some of
   * it may not be done when this returns.
   */
  async step(batches: readonly TokenBatch[]): Promise<void> {
    const k = this.k;
    let losses = 0;
    let trained = 0;
    for (const batch of batches) {
      const kept = this.#kept(batch);
      const tokens = kept.positions?.length ?? kept.tokens;
      losses += await this.#microBatch(batch, kept, k);
      trained += tokens;
    }
    const rates = this.coders.map(({ optimizer }) => optimizer.learningRate);
    const recorder = this.#gpu.recorder();
    for (const coder of this.coders) coder.recordStep(recorder, trained);
    recorder.submit();
    const step = this.#position.steps + 1;
    const tokens = this.#position.tokens + trained;
    this.#position = {
      steps: step,
      microBatches: this.#position.microBatches + batches.length,
      tokens,
    };
    this.#unread.push({ step, tokens, k, rates, losses });
    this.#inFlight.push(this.#gpu.settle());
    if (this.#inFlight.length > STEPS_IN_FLIGHT) await this.#inFlight.shift();
  }

  /** Reads what is known of all steps since the last call, in their order. */
  async takeMetrics(): Promise<StepMetrics[]> {
    const steps = this.#unread;
    this.#unread = [];
    const losses = await this.#takeLosses();
    await Promise.all(this.#inFlight.splice(0));
    let begin = 0;
    return steps.map(({ step, tokens, k, rates, losses: count }) => {
      const [from, to] = [begin, begin += count];
      const coders = losses.map((all, i) => meanLosses(all.slice(from, to), rates[i]));
      return { step, tokens, k, coders };
    });
  }

  /**
   * FVU of each coder on batches that nothing is learned from: the mean over batches. The steps before
   * must have been read.
   */
  async evaluate(batches: AsyncIterable<TokenBatch>): Promise<number[]> {
    const k = this.k;
    const sums = this.coders.map(() => 0);
    let count = 0;
    for await (const batch of batches) {
      const kept = this.#kept(batch);
      if (kept.positions?.length === 0) continue;
      await this.#forward(batch, kept, (recorder, { coder }, x, y) => {
        coder.recordEvaluation(recorder, x, y, { k });
      });
      const losses = await this.#takeLosses();
      losses.forEach(([{ fvu }], i) => sums[i] += fvu);
      count++;
    }
    return sums.map((sum) => sum / count);
  }

  #takeLosses(): Promise<Losses[][]> {
    return Promise.all(this.coders.map(({ coder }) => coder.takeLosses()));
  }

  /** Records and submits the gradients of a micro-batch; returns how many losses each coder has of it. */
  async #microBatch(batch: TokenBatch, kept: KeptTokens, k: number): Promise<number> {
    const { gradAccSteps, microAccSteps, compat } = this.#options;
    const scale = 1 / (gradAccSteps * microAccSteps);
    const pieces = compat === "paper" ? 1 : microAccSteps;
    let losses = 0;
    await this.#forward(batch, kept, (recorder, coder, x, y) => {
      if (this.#biasStart) coder.coder.recordBiasStart(recorder, x, y);
      losses = coder.recordMicroBatch(recorder, x, y, { k, pieces, scale });
    });
    if (losses > 0) this.#biasStart = false;
    return losses;
  }

  /** Runs the model as far as the last hookpoint; `use` is called for every coder. */
  async #forward(
    { ids, rows }: TokenBatch,
    kept: KeptTokens,
    use: (recorder: Recorder, coder: CoderTraining, x: Rows, y: Rows) => void,
  ): Promise<void> {
    const length = ids.length / rows;
    const texts = Array.from(
      { length: rows },
      (_, row) => ids.subarray(row * length, (row + 1) * length),
    );
    const hookpoints = [...new Set(this.coders.map(({ plan }) => plan.hookpoint))];
    const hooks = this.#rows.hooks(hookpoints, kept, (recorder, hookpoint, x, y) => {
      for (const coder of this.coders) {
        if (coder.plan.hookpoint === hookpoint) use(recorder, coder, x, y);
      }
    });
    await this.#llama.forward(pack(texts), hooks);
  }

  #kept({ ids }: TokenBatch): KeptTokens {
    const tokens = ids.length;
    const { excluded } = this.#options;
    if (!ids.some((id) => excluded.has(id))) return { tokens };
    const positions = Uint32Array.from(ids.keys()).filter((at) => !excluded.has(ids[at]));
    return { tokens, positions };
  }

  [Symbol.dispose](): void {
    this.#rows[Symbol.dispose]();
  }
}

function meanLosses(losses: readonly Losses[], rate: number): CoderMetrics | undefined {
  if (losses.length === 0) return undefined;
  const mean = (part: "fvu" | "auxk" | "multiTopk") =>
    losses.reduce((sum, one) => sum + one[part], 0) / losses.length;
  return {
    fvu: mean("fvu"),
    auxk: mean("auxk"),
    multiTopk: mean("multiTopk"),
    dead: losses[0].dead,
    rate,
  };
}
