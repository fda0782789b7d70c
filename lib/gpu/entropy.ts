/** Entropy over languages for many units at a time: kernels/entropy.wgsl. */
import source from "../../kernels/entropy.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";

/**
 * Records H[u] = -Σ_g q ln q over the normalised activation probabilities of each unit.
 *
 * @param fired [languages, units] u32
 * @param tokens [languages] u32, none zero
 * @param entropy [units] f32
 */
export function recordEntropy(
  gpu: Gpu,
  recorder: Recorder,
  languages: number,
  units: number,
  fired: GPUBuffer,
  tokens: GPUBuffer,
  entropy: GPUBuffer,
): void {
  const kernel = gpu.kernel("entropy", source, { LANES: gpu.lanes, LANGUAGES: languages });
  recorder.dispatchItems(kernel, [fired, tokens, entropy], [units], Math.ceil(units / gpu.lanes));
}
