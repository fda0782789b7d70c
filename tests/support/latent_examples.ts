/** Windows with known activations, for tests of prompts and scorers. */
import type { Example, LatentExamples } from "../../lib/interpret/example.ts";

/**
 * A window.
 *
 * @param tokens with `*n` at the end where the latent fires, e.g. `" moon*9"`: activation and normalised
 *   activation are n
 */
export function window(
  tokens: readonly string[],
  { activating = true, distance = activating ? 0 : -1 }: Partial<
    Pick<Example, "activating" | "distance">
  > = {},
): Example {
  const parts = tokens.map((token) => /^(.*?)(?:\*(\d+(?:\.\d+)?))?$/s.exec(token)!);
  const activations = Float32Array.from(parts, ([, , value]) => Number(value ?? 0));
  return {
    row: 0,
    start: 0,
    ids: Uint32Array.from(tokens.keys()),
    tokens: parts.map(([, text]) => text),
    activations,
    normalised: Uint8Array.from(activations, (value) => Math.min(10, Math.floor(value))),
    language: undefined,
    activating,
    distance,
  };
}

/** Windows of a latent of layer 3, 100 of all. */
export function latentExamples(
  examples: Partial<Pick<LatentExamples, "train" | "test" | "nonActivating">>,
  index = 7,
): LatentExamples {
  return {
    latent: { hookpoint: "layers.3.mlp", layer: 3, index },
    max: 10,
    activeWindows: 20,
    windows: 100,
    firedTokens: 50,
    tokens: 3200,
    train: [],
    test: [],
    nonActivating: [],
    ...examples,
  };
}
