/** Families of SAE files: found by the names of the files, opened by the module of each. */
import type { TensorSource } from "../formats/tensor_source.ts";
import { gemmaScopeHookpoint, openGemmaScopeSae } from "./gemma_scope.ts";
import { llamaScopeHookpoint, openLlamaScopeSae } from "./llama_scope.ts";
import type { Sae } from "./sae.ts";
import { openSaeLensSae, saeLensHookpoint } from "./saelens.ts";
import { openSparsifySae, sparsifyHookpoint } from "./sparsify.ts";

/** Who wrote the files. */
export type Family = "sparsify" | "saelens" | "gemma_scope" | "llama_scope";

/** An SAE among the files of a folder or repository. */
export interface FoundSae {
  readonly family: Family;
  /** Folder of the SAE below the root, without a `/` at its end; empty when it is the root. */
  readonly folder: string;
  /** Every file that decides what the SAE is, by its path below the root: config first. */
  readonly files: readonly string[];
  /** The JSON file that `saeHookpoint` and `openSae` need; absent when the family has none. */
  readonly configFile?: string;
  /** The file with the tensors: safetensors, or npz of GemmaScope. */
  readonly tensorFile: string;
}

/** Names of a family's files within the folder of an SAE. */
const FILES: readonly { family: Family; config?: string; tensors: string }[] = [
  { family: "sparsify", config: "cfg.json", tensors: "sae.safetensors" },
  { family: "saelens", config: "cfg.json", tensors: "sae_weights.safetensors" },
  { family: "gemma_scope", tensors: "params.npz" },
  {
    family: "llama_scope",
    config: "hyperparams.json",
    tensors: "checkpoints/final.safetensors",
  },
];

/**
 * The SAEs among some files, in the order of their tensor files.
 *
 * @param paths of all files below a root, with `/` between their parts
 */
export function findSaes(paths: readonly string[]): FoundSae[] {
  const there = new Set(paths);
  return paths.flatMap((path) => FILES.flatMap((files) => foundAt(path, files, there)));
}

/**
 * The hookpoint an SAE belongs to, such as `layers.3.mlp` or `layers.3`.
 *
 * @param config parsed `configFile`; undefined for families that have none
 * @param where root and folder of the SAE: names it in messages, and is what families without a
 *   word on it in their config go by
 * @throws InputError when it cannot be told or is not supported
 */
export function saeHookpoint(family: Family, config: unknown, where: string): string {
  switch (family) {
    case "sparsify":
      return sparsifyHookpoint(where);
    case "saelens":
      return saeLensHookpoint(config, where);
    case "gemma_scope":
      return gemmaScopeHookpoint(where);
    case "llama_scope":
      return llamaScopeHookpoint(config, where);
  }
}

/**
 * Opens an SAE of any family; parameters and errors are those of its module.
 *
 * @param config parsed `configFile`; undefined for families that have none
 * @param tensors of `tensorFile`
 * @param where root and folder of the SAE, names it in messages
 */
export async function openSae(
  family: Family,
  config: unknown,
  tensors: TensorSource,
  where: string,
): Promise<Sae> {
  switch (family) {
    case "sparsify":
      return await openSparsifySae(config, tensors, where);
    case "saelens":
      return await openSaeLensSae(config, tensors, where);
    case "gemma_scope":
      return await openGemmaScopeSae(tensors, where);
    case "llama_scope":
      return await openLlamaScopeSae(config, tensors, where);
  }
}

/** The SAE whose tensor file is `path`, if it is one of this family. */
function foundAt(
  path: string,
  { family, config, tensors }: (typeof FILES)[number],
  there: ReadonlySet<string>,
): FoundSae[] {
  if (path !== tensors && !path.endsWith(`/${tensors}`)) return [];
  const folder = path.slice(0, -tensors.length).replace(/\/$/, "");
  if (config === undefined) return [{ family, folder, files: [path], tensorFile: path }];
  const configFile = folder === "" ? config : `${folder}/${config}`;
  if (!there.has(configFile)) return [];
  return [{ family, folder, files: [configFile, path], configFile, tensorFile: path }];
}
