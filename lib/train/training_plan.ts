/** Options and a model → which coders are trained, and how. */
import { InputError } from "../formats/input_error.ts";
import type { LlamaConfig } from "../nn/config.ts";
import type { CoderPlan } from "./coder_training.ts";
import { initialK } from "./k_decay.ts";
import type { TrainOptions } from "./options.ts";
import { checkShape, type CoderShape } from "./shape.ts";
import { trainingHookpoints, widthAt } from "./training_hookpoints.ts";

/** Hookpoints where none are named: sparsify's, and those that the embedded SAEs have. */
const USUAL = { named: ["layers.*"], embedded: ["layers.*.mlp"] };

/**
 * Refuses what cannot be done, in one sentence each.
 *
 * @throws InputError
 */
export function checkSupported(options: TrainOptions): void {
  const { lossFn, distributeModules, loadIn8bit, logToWandb, dataArgs, runName } = options;
  if (lossFn !== "fvu") {
    throw new InputError(
      `--loss-fn ${lossFn} needs gradients through the model, which come later; train with fvu.`,
    );
  }
  if (distributeModules) {
    throw new InputError(
      "--distribute-modules spreads hookpoints over GPUs, but one GPU is used; train some hookpoints " +
        "in each of several runs instead.",
    );
  }
  if (loadIn8bit) {
    throw new InputError(
      "--load-in-8bit is not supported: the model is computed in float32 from weights as they are " +
        "stored; name a GGUF file with small weights, or set a --memory-budget.",
    );
  }
  if (logToWandb) {
    throw new InputError(
      "--log-to-wandb would need a service; leave it out and hand the lines of metrics.jsonl, which have " +
        "wandb's names, to wandb.log.",
    );
  }
  if (dataArgs !== "") {
    throw new InputError(
      `--data-args ${dataArgs} are arguments of Python's datasets; say them by --subset and --split.`,
    );
  }
  if (!/^[^/\\]+$/.test(runName) || runName === "." || runName === "..") {
    throw new InputError(
      `--run-name ${runName} is no name of a folder; name where it is by --save-dir.`,
    );
  }
  if (options.activation === "groupmax" && options.kDecaySteps > 0) {
    throw new InputError(
      "--k-decay-steps goes through k that do not divide the latents, which groupmax cannot; leave one " +
        "of them out.",
    );
  }
}

/**
 * The coders that options name, in the order of the forward pass: of each hookpoint one per seed.
 *
 * @throws InputError for hookpoints, seeds or sizes that cannot be trained
 */
export function planCoders(options: TrainOptions, config: LlamaConfig): CoderPlan[] {
  const { initSeeds, model } = options;
  if (new Set(initSeeds).size < initSeeds.length) {
    throw new InputError(`--init-seeds ${initSeeds.join(" ")} names a seed twice; leave one out.`);
  }
  const usual = model === undefined ? USUAL.embedded : USUAL.named;
  return trainingHookpoints(options, config.layers, usual).flatMap((hookpoint) => {
    const shape = shapeOf(options, widthAt(hookpoint, config));
    checkShape(shape);
    return initSeeds.map((seed) => ({
      name: initSeeds.length > 1 ? `${hookpoint.name}/seed${seed}` : hookpoint.name,
      hookpoint,
      seed,
      shape,
    }));
  });
}

/** The largest k of any step of a coder that is `narrowest` of all. */
export function mostK(narrowest: CoderShape, kDecaySteps: number): number {
  return kDecaySteps > 0 ? Math.max(narrowest.k, initialK(narrowest)) : narrowest.k;
}

/**
 * Refuses batches of more tokens than fit.
 *
 * @param most tokens of a batch on this adapter
 * @throws InputError
 */
export function checkBatchTokens(
  { batchSize, gradAccSteps }: TrainOptions,
  contextLength: number,
  most: number,
): void {
  const tokens = batchSize * contextLength;
  if (tokens <= most) return;
  const fits = Math.floor(most / contextLength);
  throw new InputError(
    `A batch of ${batchSize} rows of ${contextLength} tokens is more than the ${most} tokens that fit ` +
      `this adapter; ${
        fits > 0
          ? `train with --batch-size ${fits} --grad-acc-steps ${
            Math.ceil(batchSize * gradAccSteps / fits)
          }.`
          : "cut the data into shorter rows by --ctx-len."
      }`,
  );
}

function shapeOf(options: TrainOptions, inputSize: number): CoderShape {
  const { numLatents, expansionFactor } = options;
  return {
    inputSize,
    latents: numLatents || inputSize * expansionFactor,
    k: options.k,
    activation: options.activation,
    transcode: options.transcode ?? false,
    skipConnection: options.skipConnection ?? false,
    normalizeDecoder: options.normalizeDecoder,
    multiTopk: options.multiTopk ?? false,
    auxkAlpha: options.auxkAlpha,
  };
}
