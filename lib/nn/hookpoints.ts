/** Places in a Llama where activations are read or edited, by the names of the original systems. */
import { expand } from "brace-expansion";
import picomatch from "picomatch";
import { InputError } from "../formats/input_error.ts";

/**
 * - `mlp`: output of the MLP, before the residual add; `layers.N.mlp`
 * - `act_fn`: silu(gate) of the MLP, its neurons; `layers.N.mlp.act_fn`
 * - `residual`: the residual stream after the block; `layers.N`
 */
export type Site = "act_fn" | "mlp" | "residual";

export interface Hookpoint {
  /** Without the `model.` in front, as SAE folders are named. */
  readonly name: string;
  readonly layer: number;
  readonly site: Site;
}

/** Sites of one layer in the order the forward pass reaches them. */
const SUFFIXES: readonly [Site, string][] = [["act_fn", ".mlp.act_fn"], ["mlp", ".mlp"], [
  "residual",
  "",
]];

/** All hookpoints of a model, in the order the forward pass reaches them. */
export function allHookpoints(layers: number): Hookpoint[] {
  return Array.from(
    { length: layers },
    (_, layer) =>
      SUFFIXES.map(([site, suffix]) => ({ name: `layers.${layer}${suffix}`, layer, site })),
  ).flat();
}

/** True when the forward pass reaches `a` before `b`. */
export function comesBefore(a: Hookpoint, b: Hookpoint): boolean {
  const order = (site: Site) => SUFFIXES.findIndex(([name]) => name === site);
  return a.layer < b.layer || (a.layer === b.layer && order(a.site) < order(b.site));
}

/**
 * Resolves names and patterns: `model.` in front is optional, braces are expanded
 * (`layers.{0..15}.mlp`), and globs match within one dotted part (`layers.[0-9].mlp`, `layers.*`).
 *
 * @param patterns as given on the command line (`--layer`)
 * @param layers number of layers of the model
 * @returns without repetitions, in the order of the forward pass
 * @throws InputError for a pattern that matches no hookpoint of the model
 */
export function resolveHookpoints(patterns: readonly string[], layers: number): Hookpoint[] {
  const all = allHookpoints(layers);
  const chosen = new Set<Hookpoint>();
  for (const pattern of patterns.flatMap((value) => value === "" ? [value] : expand(value))) {
    const matches = pattern === "" ? () => false : picomatch(asPath(pattern));
    const found = all.filter(({ name }) => matches(asPath(name)));
    if (found.length === 0) {
      throw new InputError(
        `hookpoint "${pattern}" is not in this model: expected layers.N.mlp, layers.N.mlp.act_fn or ` +
          `layers.N with N from 0 to ${layers - 1}.`,
      );
    }
    for (const hookpoint of found) chosen.add(hookpoint);
  }
  return all.filter((hookpoint) => chosen.has(hookpoint));
}

/** Globs treat "/" as the border between parts; hookpoints have dots there. */
function asPath(name: string): string {
  return name.replace(/^model\./, "").replaceAll(".", "/");
}
