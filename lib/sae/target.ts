/** What is looked at in a model: hookpoints, and the SAEs at them. */
import type { Hookpoint } from "../nn/hookpoints.ts";
import type { Sae } from "./sae.ts";

/** What fires at a hookpoint: the latents of an SAE, or the neurons of an act_fn. */
export interface Target {
  readonly hookpoint: Hookpoint;
  /** Absent for neurons. */
  readonly sae?: Sae;
}
