/** The embedded model as a site would carry it, and what is read of it here and in a browser. */
import type { EngineFiles } from "../../lib/site/engine_files.ts";
import type { Engine } from "../../lib/site/engine.ts";
import { readActivations } from "../../lib/interpret/activations.ts";

/** Paths below assets/demo. */
export const DEMO: EngineFiles = {
  model: {
    name: "demo",
    config: "model/config.json",
    generationConfig: "model/generation_config.json",
    tokenizer: "model/tokenizer.json",
    tokenizerConfig: "model/tokenizer_config.json",
    weights: "model/model.safetensors",
  },
  saes: [0, 1, 2, 3, 4, 5].map((layer) => ({
    hookpoint: `layers.${layer}.mlp`,
    family: "sparsify",
    config: `sae/layers.${layer}.mlp/cfg.json`,
    tensors: `sae/layers.${layer}.mlp/sae.safetensors`,
  })),
  features: { languages: [], examples: [], tokens: [], layers: 6, features: [] },
};

/** What fires on the tokens of a text at one hookpoint; as JSON carries it. */
export interface Entries {
  readonly offsets: readonly number[];
  readonly units: readonly number[];
  readonly values: readonly number[];
}

/** Every entry of texts, by text and hookpoint. */
export async function entriesOf(
  { gpu, store, llama, targets, tokenizer }: Engine,
  texts: readonly string[],
): Promise<Entries[][]> {
  const ids = texts.map((text) => ({ ids: tokenizer.encode(text) }));
  const reader = { gpu, store, llama, limits: { tokens: 512, examples: 64 } };
  const entries: Entries[][] = [];
  for await (const found of readActivations(reader, targets, ids)) {
    entries.push(found.targets.map(({ offsets, units, values }) => ({
      ...{ offsets: [...offsets], units: [...units], values: [...values] },
    })));
  }
  return entries;
}
