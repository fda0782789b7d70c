/** Names that SAE files give to the place they read, as hookpoints (lib/nn/hookpoints.ts). */
import { InputError } from "../formats/input_error.ts";

/** Patterns of names and the hookpoint of layer N: TransformerLens' names, then Hugging Face's. */
const NAMES: readonly [RegExp, (layer: number) => string][] = [
  [/^blocks\.(\d{1,6})\.hook_mlp_out$/, (layer) => `layers.${layer}.mlp`],
  [/^blocks\.(\d{1,6})\.hook_resid_post$/, (layer) => `layers.${layer}`],
  [/^blocks\.(\d{1,6})\.hook_resid_pre$/, (layer) => `layers.${layer - 1}`],
  [/^(?:model\.)?layers\.(\d{1,6})\.mlp$/, (layer) => `layers.${layer}.mlp`],
  [/^(?:model\.)?layers\.(\d{1,6})$/, (layer) => `layers.${layer}`],
];

/**
 * The hookpoint that a hook name means: `layers.N.mlp`, or `layers.N` for the residual stream. What a
 * block reads (`hook_resid_pre`) is what the block before it leaves.
 *
 * @param where names the file or folder that the name is from in messages
 * @throws InputError for places that this program does not reach
 */
export function hookpointOfHookName(name: string, where: string): string {
  for (const [pattern, hookpoint] of NAMES) {
    const layer = pattern.exec(name)?.[1];
    if (layer === undefined) continue;
    if (name.endsWith("hook_resid_pre") && Number(layer) === 0) break;
    return hookpoint(Number(layer));
  }
  throw new InputError(
    `${where}: SAEs of ${JSON.stringify(name)} are not supported, only those of an MLP's output ` +
      `(blocks.N.hook_mlp_out, layers.N.mlp) or the residual stream after a block ` +
      `(blocks.N.hook_resid_post, layers.N).`,
  );
}
