/** The coders of a training as it begins. */
import { join } from "node:path";
import { isFile } from "../data/file_tree.ts";
import { InputError } from "../formats/input_error.ts";
import type { Gpu } from "../gpu/device.ts";
import { readCoder } from "./coder_files.ts";
import { type CoderPlan, CoderTraining } from "./coder_training.ts";
import { initialTensors } from "./initial_tensors.ts";
import { defaultLearningRate, scheduledSteps } from "./optimizers/learning_rate.ts";
import type { TrainOptions } from "./options.ts";
import { narrowest } from "./shape.ts";
import { mostK } from "./training_plan.ts";

/** Micro-batches whose losses may wait to be read. */
const LEAST_KEPT_LOSSES = 1024;

/**
 * Puts coders on the GPU, drawn from their seeds or as `--finetune` has them.
 *
 * @param batchTokens most tokens of a micro-batch
 * @param microBatches of the whole training
 * @param owned disposes of them
 * @throws InputError when `--finetune` names no such coders
 * @throws GpuError when they do not fit this adapter or the memory budget
 */
export async function openCoders(
  gpu: Gpu,
  plans: readonly CoderPlan[],
  options: TrainOptions,
  batchTokens: number,
  microBatches: number,
  owned: DisposableStack,
): Promise<CoderTraining[]> {
  const { optimizer, gradAccSteps, microAccSteps, compat } = options;
  const most = mostK(narrowest(plans.map(({ shape }) => shape)), options.kDecaySteps);
  const coders: CoderTraining[] = [];
  for (const plan of plans) {
    const { latents } = plan.shape;
    const coder = owned.use(
      new CoderTraining(gpu, plan, {
        batchTokens,
        mostK: most,
        deadThreshold: options.deadFeatureThreshold,
        mostBatches: Math.max(LEAST_KEPT_LOSSES, 2 * gradAccSteps * microAccSteps),
        compat,
        optimizer,
        optimizerOptions: {
          learningRate: options.lr ?? defaultLearningRate(optimizer, latents),
          warmUpSteps: options.lrWarmupSteps,
          steps: scheduledSteps(microBatches, gradAccSteps, compat),
        },
      }),
    );
    coder.coder.setTensors(await beginning(plan, options.finetune));
    // Uploads are released by a submit that completes: the next coder's may need the room.
    gpu.recorder().submit();
    await gpu.settle();
    coders.push(coder);
  }
  return coders;
}

async function beginning({ name, hookpoint, seed, shape }: CoderPlan, finetune?: string) {
  if (finetune === undefined) return initialTensors(shape, seed);
  const paths = [name, hookpoint.name].map((folder) => join(finetune, folder, "sae.safetensors"));
  for (const path of paths) if (await isFile(path)) return await readCoder(path, shape);
  throw new InputError(
    `--finetune ${finetune} has no coder for ${name}: expected ${
      paths[0]
    }; train only where it has some.`,
  );
}
