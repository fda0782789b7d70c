/** .npz files (GemmaScope's SAEs) as open tensors. */

import { openNpz } from "../formats/npz.ts";
import type { TensorSource } from "../formats/safetensors.ts";
import { openFileSource } from "./file_source.ts";
import type { OpenTensors } from "./files.ts";

/**
 * Opens an .npz file for reading by row or column ranges; the file is never loaded whole. Dispose
 * (or `using`) closes it.
 *
 * @throws InputError when it cannot be read or is not a valid .npz file
 */
export async function openNpzFile(path: string): Promise<OpenTensors> {
  using opened = new DisposableStack();
  const file = opened.use(await openFileSource(path));
  return new NpzFile(await openNpz(file, path), opened.move());
}

class NpzFile implements OpenTensors {
  readonly metadata: TensorSource["metadata"];

  constructor(readonly tensors: TensorSource, readonly opened: DisposableStack) {
    this.metadata = tensors.metadata;
  }

  names() {
    return this.tensors.names();
  }

  info(name: string) {
    return this.tensors.info(name);
  }

  read(name: string, rowStart?: number, rowEnd?: number) {
    return this.tensors.read(name, rowStart, rowEnd);
  }

  readColumns(name: string, from: number, to: number) {
    return this.tensors.readColumns(name, from, to);
  }

  [Symbol.dispose]() {
    this.opened.dispose();
  }
}
