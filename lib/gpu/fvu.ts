/** The fraction of variance unexplained, and what turns residuals into its gradients: kernels/fvu.wgsl. */
import source from "../../kernels/fvu.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** Entries of the factors that turn residuals into gradients. */
export const FACTOR = { output: 1, auxk: 2, multiTopk: 3 } as const;

/** Bytes of the factors of a batch. */
export const FACTOR_BYTES = 5 * 4;

/** f32 values of the losses of a batch: FVU, AuxK, Multi-TopK's FVU, dead latents. */
export const LOSS_VALUES = 4;

/** What of the loss is not in the batch. */
export interface LossScale {
  /** What the whole loss is multiplied by: 1 / (micro-batches of a step). */
  readonly step: number;
  /** Weight of AuxK. */
  readonly alpha: number;
  /** Dead latents from which on AuxK counts in full: half the input size. */
  readonly half: number;
}

/**
 * Records the factors of a batch.
 *
 * @param variation one row: Σ (y - mean(y))² by column
 * @param dead [1] u32
 * @param factors {@linkcode FACTOR_BYTES} bytes
 */
export function recordLossFactors(
  gpu: Gpu,
  recorder: Recorder,
  variation: Rows,
  dead: GPUBuffer,
  factors: GPUBuffer,
  { step, alpha, half }: LossScale,
): void {
  const kernel = gpu.kernel("fvu", source, { STEP: "scales" });
  const params = [variation.stride / 4, floatBits(step), floatBits(alpha), floatBits(half)];
  recorder.dispatch(kernel, [bindRows(variation), dead, factors], params, [1, 1]);
}

/**
 * Records the losses of a batch.
 *
 * @param residuals three rows: squared residuals by column, of the output, AuxK and Multi-TopK
 * @param losses where the {@linkcode LOSS_VALUES} values go
 */
export function recordLosses(
  gpu: Gpu,
  recorder: Recorder,
  residuals: Rows,
  dead: GPUBuffer,
  factors: GPUBuffer,
  losses: GPUBufferBinding,
): void {
  const kernel = gpu.kernel("fvu", source, { STEP: "losses" });
  const bindings = [bindRows(residuals), dead, factors, losses];
  recorder.dispatch(kernel, bindings, [residuals.stride / 4, 0, 0, 0], [1, 1]);
}
