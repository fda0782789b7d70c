/** Tensors together with the file that they are read from. */

import type { TensorSource } from "../formats/tensor_source.ts";
import { type FileSource, openFileSource } from "./file_source.ts";

/** Tensors in open files; dispose (or `using`) closes them. */
export type OpenTensors = TensorSource & Disposable;

/**
 * Opens a file and finds its tensors.
 *
 * @param find reads what says where they are; where it fails, the file is closed again
 * @throws InputError when the file cannot be opened; what `find` throws
 */
export async function openTensors(
  path: string,
  find: (file: FileSource) => Promise<TensorSource>,
): Promise<OpenTensors> {
  const file = await openFileSource(path);
  try {
    return new OpenedTensors(await find(file), file);
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

/** Tensors of any format whose file closes on dispose (or `using`). */
class OpenedTensors implements OpenTensors {
  readonly metadata: TensorSource["metadata"];

  constructor(readonly tensors: TensorSource, readonly file: FileSource) {
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
    this.file[Symbol.dispose]();
  }
}
