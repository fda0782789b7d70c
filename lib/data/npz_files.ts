/** .npz files (GemmaScope's SAEs) as open tensors. */

import { openNpz } from "../formats/npz.ts";
import { type OpenTensors, openTensors } from "./opened_tensors.ts";

/**
 * Opens an .npz file for reading by row or column ranges; the file is never loaded whole. Dispose
 * (or `using`) closes it.
 *
 * @throws InputError when it cannot be read or is not a valid .npz file
 */
export async function openNpzFile(path: string): Promise<OpenTensors> {
  return await openTensors(path, (file) => openNpz(file, path));
}
