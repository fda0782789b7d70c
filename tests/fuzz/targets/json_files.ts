/** JSON files of the program and of models: lape.json, config.json. */
import { fromLapeJson } from "../../../lib/lape/lape_json.ts";
import { parseLlamaConfig } from "../../../lib/nn/config.ts";
import { mutateJson } from "../json.ts";
import { fixtures, jsonFiles, jsonOf } from "../seeds.ts";
import { type Target, WHERE } from "../target.ts";

/** lape.json. */
export const lapeJson: Target = {
  name: "lape.json",
  share: 8,
  seeds: () => Promise.resolve(jsonFiles(LAPE, PAPER)),
  mutate: mutateJson,
  // deno-lint-ignore require-await
  async read(bytes) {
    const json = jsonOf(bytes);
    if (json !== undefined) fromLapeJson(json, WHERE);
  },
};

/** config.json of a Llama. */
export const llamaConfig: Target = {
  name: "config.json",
  share: 10,
  seeds: () =>
    Promise.resolve(
      fixtures(
        "tiny_llama32/config.json",
        "tiny_llama_biases/config.json",
        "tiny_llama_f16/config.json",
      ),
    ),
  mutate: mutateJson,
  // deno-lint-ignore require-await
  async read(bytes) {
    const json = jsonOf(bytes);
    if (json !== undefined) parseLlamaConfig(json, WHERE);
  },
};

const FEATURES = {
  final_indice: [[[1], [2, 3]], [[], [5]]],
  final_indice_global_max_active: [[[1.5], [2, null]], [[], [5]]],
  final_indice_global_min_active: [[[0.5], [0, 3]], [[], [5]]],
  final_indice_global_avg_active: [[[1], [2, 3]], [[], [5]]],
  sorted_lang: ["English", "German"],
  num_examples: [3, 4],
  num_tokens: [30, 40],
  features_info: {
    English: {
      indicies: [[0, 1], [1, 2], [1, 3]],
      entropies: [0.1, 0.2, null],
      selected_probs: [0.5, 0.25, 1],
    },
    German: { indicies: [[1, 5]], entropies: [0.3], selected_probs: [0.5] },
  },
};
const LAPE = FEATURES;
const PAPER = {
  ...FEATURES,
  compat: "paper",
  sorted_lang: ["English", "French", "German"],
  num_examples: [3, 0, 4],
  num_tokens: [30, 0, 40],
  features_info: {
    ...FEATURES.features_info,
    German: { indicies: [[1, 5]], entropies: [0.3], selected_probs: 0.5 },
  },
};
