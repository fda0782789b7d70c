/** Learning rates of SAE training (spec train-and-interpret A.4). */

/** Optimizers by sparsify's names. */
export const OPTIMIZERS = ["signum", "adam", "muon"] as const;
export type OptimizerName = typeof OPTIMIZERS[number];

/** The learning rate of each step, from step 0 on. */
export type LearningRate = (step: number) => number;

/** What sparsify takes where no learning rate is named: wider coders learn more slowly. */
export function defaultLearningRate(optimizer: OptimizerName, latents: number): number {
  if (optimizer === "muon") return 2e-3;
  return (optimizer === "signum" ? 5e-3 : 2e-4) / Math.sqrt(latents / 2 ** 14);
}

/**
 * Rises evenly from 0 (the first step changes nothing) to `peak` in `warmUpSteps` steps and falls
 * evenly to 0 at step `steps`: transformers' get_linear_schedule_with_warmup.
 */
export function warmUpThenDecay(peak: number, warmUpSteps: number, steps: number): LearningRate {
  return (step) => {
    const factor = step < warmUpSteps
      ? step / Math.max(1, warmUpSteps)
      : Math.max(0, (steps - step) / Math.max(1, steps - warmUpSteps));
    return peak * factor;
  };
}

/**
 * Steps after which a schedule ends: those of the optimizer. With `compat: "paper"` it is the number
 * of micro-batches, so that rates do not reach 0 where gradients accumulate.
 *
 * @param microBatches of the whole training
 * @param accumulated micro-batches per step of the optimizer
 */
export function scheduledSteps(
  microBatches: number,
  accumulated: number,
  compat?: "paper",
): number {
  return compat === "paper" ? microBatches : Math.floor(microBatches / accumulated);
}
