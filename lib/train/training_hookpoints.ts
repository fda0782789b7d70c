/** Which hookpoints coders are trained at (spec train-and-interpret A.3). */
import picomatch from "picomatch";
import { InputError } from "../formats/input_error.ts";
import type { LlamaConfig } from "../nn/config.ts";
import { allHookpoints, type Hookpoint, resolveHookpoints } from "../nn/hookpoints.ts";

/** How options name hookpoints. */
export interface HookpointOptions {
  /** Globs. */
  readonly hookpoints: readonly string[];
  /** Numbers of blocks, in the place of globs. */
  readonly layers: readonly number[];
  /** Every how many of the list. */
  readonly layerStride: number;
  /** "paper": `*` matches dots as well, so that `layers.*` is every hookpoint there is. */
  readonly compat?: "paper";
}

/**
 * The hookpoints that options name, in the order of the forward pass.
 *
 * @param layers of the model
 * @param usual globs, where the options name nothing
 * @throws InputError for globs that match nothing, and options that exclude each other
 */
export function trainingHookpoints(
  options: HookpointOptions,
  layers: number,
  usual: readonly string[],
): Hookpoint[] {
  const { layerStride } = options;
  const named = options.layers.map((layer) => `layers.${layer}`);
  if (named.length > 0 && options.hookpoints.length > 0) {
    throw new InputError("--layers and --hookpoints both name hookpoints; leave one of them out.");
  }
  if (named.length > 0 && layerStride !== 1) {
    throw new InputError(
      `--layers names blocks one by one, so --layer-stride ${layerStride} has nothing to skip; leave ` +
        `one of them out.`,
    );
  }
  const globs = [...named, ...options.hookpoints];
  const patterns = globs.length > 0 ? globs : usual;
  const chosen = options.compat === "paper"
    ? acrossDots(patterns, layers)
    : resolveHookpoints(patterns, layers);
  return chosen.filter((_, i) => i % layerStride === 0);
}

/** Values per token at a hookpoint; a module reads as many as it writes. */
export function widthAt({ site }: Hookpoint, { hiddenSize, mlpSize }: LlamaConfig): number {
  return site === "act_fn" ? mlpSize : hiddenSize;
}

function acrossDots(patterns: readonly string[], layers: number): Hookpoint[] {
  const matches = picomatch([...patterns]);
  const chosen = allHookpoints(layers).filter(({ name }) => matches(name));
  if (chosen.length > 0) return chosen;
  throw new InputError(
    `--hookpoints ${
      patterns.join(" ")
    } match nothing in this model of ${layers} layers; expected ` +
      `names such as layers.0.mlp.`,
  );
}
