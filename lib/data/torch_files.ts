/** .pt files with a state dict (dictionary_learning's SAEs) as open tensors. */

import { readTorchFile } from "../formats/torch_file.ts";
import { stateDict } from "../formats/torch_tensors.ts";
import { type OpenTensors, openTensors } from "./opened_tensors.ts";

/**
 * Opens the state dict in a file of torch.save for reading by row or column ranges; the file is never
 * loaded whole, and nothing in it is executed. Dispose (or `using`) closes it.
 *
 * @throws InputError when it cannot be read, is not such a file, or holds no dict of tensors
 */
export async function openTorchFile(path: string): Promise<OpenTensors> {
  return await openTensors(path, async (file) => stateDict(await readTorchFile(file, path), path));
}
