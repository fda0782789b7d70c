/** A training from its first step, or from a checkpoint, to its last. */
import { InputError } from "../formats/input_error.ts";
import { readCoder, withCoderState } from "./coder_files.ts";
import type { TokenBatch } from "./batches.ts";
import { type MetricsLine, type MetricsLog, type MetricsOptions, stepLine } from "./metrics_log.ts";
import type { TrainingData } from "./open_training_data.ts";
import type { RunFiles, TrainingState } from "./run_files.ts";
import type { Position, StepMetrics, Trainer } from "./trainer.ts";

/** When a training saves and logs. */
export interface RunOptions {
  readonly gradAccSteps: number;
  /** Steps from one checkpoint to the next. */
  readonly saveEvery: number;
  readonly saveBest: boolean;
  /** Steps from one line of metrics to the next. */
  readonly logEvery: number;
  /** "paper": saves and logs a step early, and judges what is best by the batch it was trained on. */
  readonly compat?: "paper";
}

/** Who wants to know how a training is going. */
export interface Watcher {
  /** Told of the latest step whose losses are known. */
  show(position: Position, latest: StepMetrics): void;
  /** Whether to stop after this step, with a checkpoint. */
  readonly stopping: boolean;
}

/** Losses are read this often: each time the GPU runs dry for some milliseconds. */
const MILLISECONDS_BETWEEN_READS = 500;
/** They are read as well when so many micro-batches wait: half of what there is room for. */
const MOST_UNREAD = 512;

/** Runs a training. */
export class TrainingRun {
  readonly #trainer: Trainer;
  readonly #files: RunFiles;
  readonly #log: MetricsLog;
  readonly #data: TrainingData;
  readonly #options: RunOptions;
  readonly #metrics: MetricsOptions;
  readonly #identity: TrainingState["identity"];
  #bestFvu: Record<string, number> = {};
  #heldOutFvu: Record<string, number> = {};
  #latest: StepMetrics | undefined;
  #read = Date.now();
  #savedSteps = 0;

  /** @param identity what the training depends on */
  constructor(
    parts: { trainer: Trainer; files: RunFiles; log: MetricsLog; data: TrainingData },
    metrics: MetricsOptions,
    identity: TrainingState["identity"],
    options: RunOptions,
  ) {
    this.#trainer = parts.trainer;
    this.#files = parts.files;
    this.#log = parts.log;
    this.#data = parts.data;
    this.#metrics = metrics;
    this.#identity = identity;
    this.#options = options;
  }

  /** Steps of the whole training: micro-batches at its end that are no whole step are left out. */
  get steps(): number {
    return Math.floor(this.#data.training.count / this.#options.gradAccSteps);
  }

  /** What is known of the last step. */
  get latest(): StepMetrics | undefined {
    return this.#latest;
  }

  /** FVU of each coder on what is held out, at the last checkpoint; empty where nothing is. */
  get heldOutFvu(): Readonly<Record<string, number>> {
    return this.#heldOutFvu;
  }

  /**
   * Goes on from the checkpoint in the run's folder.
   *
   * @throws InputError when its files are not as they were left
   */
  async restore(state: TrainingState): Promise<void> {
    await this.#restoreCoders((plan, file) => this.#files.path(plan, file), state.optimizers);
    this.#trainer.restore({
      steps: state.steps,
      microBatches: state.micro_batches,
      tokens: state.tokens,
    });
    this.#bestFvu = state.best_fvu;
    this.#heldOutFvu = state.held_out_fvu;
    this.#savedSteps = state.steps;
  }

  /**
   * Trains to the end, or until the watcher stops it, and saves.
   *
   * @throws InputError when the training diverges, or files cannot be written
   */
  async run(watcher: Watcher): Promise<void> {
    const { gradAccSteps } = this.#options;
    const batches = this.#data.training.batches(this.#trainer.position.microBatches);
    for await (const step of grouped(batches, gradAccSteps)) {
      await this.#trainer.step(step);
      if (this.#dueToRead()) await this.#readMetrics(watcher);
      if (this.#dueToSave() || watcher.stopping) await this.#save(watcher);
      if (watcher.stopping) return;
    }
    if (this.#savedSteps < this.#trainer.position.steps) await this.#save(watcher);
  }

  #dueToRead(): boolean {
    const waited = Date.now() - this.#read;
    return waited >= MILLISECONDS_BETWEEN_READS || this.#trainer.unreadLosses >= MOST_UNREAD;
  }

  #dueToSave(): boolean {
    return this.#isDue(this.#trainer.position.steps, this.#options.saveEvery);
  }

  #isDue(step: number, every: number): boolean {
    return (this.#options.compat === "paper" ? step + 1 : step) % every === 0;
  }

  async #readMetrics(watcher: Watcher): Promise<void> {
    const steps = await this.#trainer.takeMetrics();
    this.#read = Date.now();
    steps.forEach((step) => this.#checkFinite(step));
    const logged = steps.filter(({ step }) => this.#isDue(step, this.#options.logEvery));
    await this.#log.append(logged.map((step) => stepLine(step, this.#metrics)));
    this.#latest = steps.at(-1) ?? this.#latest;
    if (this.#latest) watcher.show(this.#trainer.position, this.#latest);
  }

  #checkFinite({ step, coders }: StepMetrics): void {
    const at = coders.findIndex((metrics) => metrics && !Number.isFinite(metrics.fvu));
    if (at < 0) return;
    throw new InputError(
      `The training of ${
        this.#metrics.names[at]
      } diverged at step ${step} (its FVU is no number); lower ` +
        `--lr, or leave out tokens of great norm by --exclude-tokens bos.`,
    );
  }

  /** Saves a checkpoint, measured on what is held out. */
  async #save(watcher: Watcher): Promise<void> {
    await this.#readMetrics(watcher);
    const { coders, position, k } = this.#trainer;
    for (const coder of coders) await this.#files.write(coder, position.steps);
    const optimizers = Object.fromEntries(
      coders.map(({ plan, optimizer }) => [plan.name, { ...optimizer.state().scalars }]),
    );
    await this.#measure(optimizers);
    if (this.#options.saveBest) await this.#keepBest();
    await this.#log.sync();
    await this.#files.commit(coders.map(({ plan }) => plan), {
      identity: this.#identity,
      steps: position.steps,
      micro_batches: position.microBatches,
      tokens: position.tokens,
      k,
      best_fvu: this.#bestFvu,
      held_out_fvu: this.#heldOutFvu,
      metrics_bytes: this.#log.bytes,
      optimizers,
    });
    this.#savedSteps = position.steps;
  }

  /**
   * Measures the coders as they are saved, which is not as they are trained. The files are then read as
   * by a training that goes on: so it makes no difference to one whether it was stopped here.
   */
  async #measure(optimizers: TrainingState["optimizers"]): Promise<void> {
    const { heldOut } = this.#data;
    if (!heldOut) return;
    const { coders, position } = this.#trainer;
    for (const { plan, coder } of coders) {
      const path = this.#files.pathAt(plan, "sae", position.steps);
      coder.setTensors(await readCoder(path, plan.shape));
    }
    const fvu = await this.#trainer.evaluate(heldOut.batches());
    const line: MetricsLine = { step: position.steps, tokens: position.tokens };
    coders.forEach(({ plan }, i) => line[`held_out_fvu/${plan.name}`] = fvu[i]);
    await this.#log.append([line]);
    this.#heldOutFvu = Object.fromEntries(coders.map(({ plan }, i) => [plan.name, fvu[i]]));
    await this.#restoreCoders(
      (plan, file) => this.#files.pathAt(plan, file, position.steps),
      optimizers,
    );
  }

  /** Keeps the coders that are better than before on what is held out, or else on the last step. */
  async #keepBest(): Promise<void> {
    const { coders, position, k } = this.#trainer;
    for (const [i, { plan }] of coders.entries()) {
      const fvu = this.#heldOutFvu[plan.name] ?? this.#latest?.coders[i]?.fvu;
      const best = this.#bestFvu[plan.name] ?? Infinity;
      if (fvu === undefined || fvu >= best) continue;
      this.#bestFvu = { ...this.#bestFvu, [plan.name]: fvu };
      await this.#files.keepBest(plan, position.steps, k, this.#options.compat);
    }
  }

  async #restoreCoders(
    path: (plan: Trainer["coders"][number]["plan"], file: "sae" | "training") => string,
    optimizers: TrainingState["optimizers"],
  ): Promise<void> {
    for (const coder of this.#trainer.coders) {
      const { plan } = coder;
      const tensors = await readCoder(path(plan, "sae"), plan.shape);
      await withCoderState(
        path(plan, "training"),
        plan.shape,
        optimizers[plan.name],
        (state) => coder.restore(tensors, state),
      );
    }
  }
}

/** Groups of `size` batches; what is left over at the end is left out. */
async function* grouped(
  batches: AsyncIterable<TokenBatch>,
  size: number,
): AsyncGenerator<TokenBatch[]> {
  let group: TokenBatch[] = [];
  for await (const batch of batches) {
    group.push(batch);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
}
