/** Every reader that is fuzzed. */
import type { Target } from "./target.ts";
import { gguf } from "./targets/gguf.ts";
import { lapeJson, llamaConfig } from "./targets/json_files.ts";
import { npz } from "./targets/npz.ts";
import { parquet } from "./targets/parquet.ts";
import { readme } from "./targets/readme.ts";
import { rowTargets } from "./targets/rows.ts";
import { saes } from "./targets/saes.ts";
import { counts, safetensors } from "./targets/safetensors.ts";
import { tokenizer } from "./targets/tokenizer.ts";
import { torch } from "./targets/torch.ts";

/** In the order of the formats' own depth: tensors, tokenizers, tables, texts, results. */
export const TARGETS: readonly Target[] = [
  safetensors,
  counts,
  npz,
  torch,
  gguf,
  tokenizer,
  parquet,
  ...rowTargets,
  readme,
  lapeJson,
  llamaConfig,
  saes,
];

/** Targets by name. */
export function targetNamed(name: string): Target {
  const target = TARGETS.find((target) => target.name === name);
  if (target) return target;
  throw new RangeError(
    `no target ${JSON.stringify(name)} among ${TARGETS.map(({ name }) => name).join(", ")}`,
  );
}
