/** Which rules the options of `identify` name. */
import type { Identification } from "../lape/identification.ts";
import { identifyLape } from "../lape/identify_neurons.ts";
import { identifySaeLape } from "../lape/identify_sae.ts";
import type { PooledCounts } from "../lape/pool.ts";
import type { IdentifyOptions } from "./options.ts";

/** Whether the rules are those of neurons. */
export function isLape({ algorithm }: Pick<IdentifyOptions, "algorithm">): boolean {
  return algorithm === "lape";
}

/** What is counted where `--layer` names nothing; undefined: every hookpoint that has an SAE. */
export function usualHookpoints(options: IdentifyOptions): string[] | undefined {
  return isLape(options) ? ["layers.*.mlp.act_fn"] : undefined;
}

/**
 * Finds the features.
 *
 * @throws InputError for an option outside its range
 */
export function identifyIn(pooled: PooledCounts, options: IdentifyOptions): Identification {
  return isLape(options)
    ? identifyLape(pooled, { compat: options.compat })
    : identifySaeLape(pooled, options);
}
