/** An open file as a byte source: formats that are read by ranges never load it whole. */

import { type ByteSource, checkRange } from "../formats/byte_source.ts";
import { readInto, unreadable } from "./files.ts";

/** Bytes of an open file; dispose (or `using`) closes it. */
export type FileSource = ByteSource & Disposable;

/**
 * Opens a file for reading by ranges.
 *
 * @throws InputError when it cannot be opened or is no plain file; reads throw it when the file
 *   cannot be read or has become shorter
 */
export async function openFileSource(path: string): Promise<FileSource> {
  let file: Deno.FsFile | undefined;
  try {
    file = await Deno.open(path);
    const { size, isDirectory } = await file.stat();
    if (isDirectory) throw new Deno.errors.IsADirectory();
    return new OpenedFile(file, size, path);
  } catch (error) {
    file?.close();
    throw unreadable(path, error);
  }
}

/** Reads take turns, since they share the file's position. */
class OpenedFile implements FileSource {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly file: Deno.FsFile, readonly size: number, readonly path: string) {}

  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(begin, end, this.size);
    const bytes = new Uint8Array(end - begin);
    const filled = this.#turn.then(() => readInto(this.file, begin, bytes));
    this.#turn = filled.catch(() => {});
    try {
      await filled;
      return bytes;
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  [Symbol.dispose]() {
    this.file.close();
  }
}
