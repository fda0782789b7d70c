/** Opens SAEs that lie in this project. */
import { readJson } from "../../lib/data/files.ts";
import { openSafetensorsFile } from "../../lib/data/safetensors_files.ts";
import type { Sae } from "../../lib/sae/sae.ts";
import { openSparsifySae } from "../../lib/sae/sparsify.ts";
import { projectPath } from "./tensors.ts";

/** The embedded model's SAE of one layer. */
export async function openDemoSae(layer: number): Promise<Sae> {
  const folder = projectPath(`assets/demo/sae/layers.${layer}.mlp`);
  const tensors = await openSafetensorsFile(`${folder}/sae.safetensors`);
  return await openSparsifySae(await readJson(`${folder}/cfg.json`), tensors, folder);
}
