/** Options of interventions that `ppl` and `generate` share (spec 8). */
import { number, oneOf } from "../cli/values.ts";

/** What neurons become. */
export const NEURON_VALUE = [
  "--value <v>",
  "what neurons are set to, or multiples of V_f added to them",
  number(),
  0,
] as const;

/** How they become it. */
export const NEURON_METHOD = [
  "--neuron-intervention-method <method>",
  "fixed (a = v) or scaling (a += v V_f)",
  oneOf("fixed", "scaling"),
  "fixed",
] as const;
