/** Steering by latents that were picked one by one, each with a strength of its own. */
import { type Edit, saeEdits } from "../../steer/interventions.ts";
import type { Target } from "../../sae/target.ts";

/** A latent and what is added of it, as an activation; negative takes it away. */
export interface SteeredLatent {
  readonly layer: number;
  readonly index: number;
  readonly activation: number;
}

/**
 * The edits that add activations of latents, Σ activation · W_dec[index] at each layer.
 *
 * @throws InputError for latents that the SAEs have not
 */
export async function steeringEdits(
  targets: readonly Target[],
  latents: readonly SteeredLatent[],
): Promise<Edit[]> {
  const features = latents.map(({ layer, index, activation }) => ({
    ...{ layer, index, entropy: NaN, probability: NaN },
    ...{ globalMax: activation, globalMin: activation, globalAvg: activation },
  }));
  return await saeEdits(targets, features, { value: "max", multiplier: 1 });
}
