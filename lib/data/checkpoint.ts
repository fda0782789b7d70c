/**
 * Finished parts of a long step, kept until the whole is written: JSON lines, one per part. A run that
 * was stopped at any moment finds all parts but the one that it was at.
 */
import { dirname } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { unreadable } from "./files.ts";

/** Parts of one piece of work, by key. */
export class Checkpoint<Part> implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #parts: Map<string, Part>;

  private constructor(path: string, file: Deno.FsFile, parts: Map<string, Part>) {
    this.#path = path;
    this.#file = file;
    this.#parts = parts;
  }

  /**
   * Opens a checkpoint, with the parts that an earlier run of the same work left. Parts of other work
   * are dropped.
   *
   * @param path its file; the folder has to be claimed (folder_claim.ts)
   * @param identity what the parts depend on: hashes, options, code; any JSON value
   * @throws InputError when the file cannot be read or written
   */
  static async open<Part>(path: string, identity: unknown): Promise<Checkpoint<Part>> {
    const first = JSON.stringify({ identity });
    try {
      await Deno.mkdir(dirname(path), { recursive: true });
      const file = await Deno.open(path, { read: true, write: true, create: true });
      const { lines, bytes } = wholeLines(new Uint8Array(await Deno.readFile(path)));
      const same = lines[0] === first;
      const parts = new Map(same ? lines.slice(1).map((line) => JSON.parse(line)) : []);
      // a line that was being written when the run was stopped is written over
      await file.truncate(same ? bytes : 0);
      await file.seek(0, Deno.SeekMode.End);
      const checkpoint = new Checkpoint<Part>(path, file, parts as Map<string, Part>);
      if (!same) await checkpoint.#append(first);
      return checkpoint;
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw unreadable(path, error);
    }
  }

  /** Parts that are there. */
  get size(): number {
    return this.#parts.size;
  }

  get(key: string): Part | undefined {
    return this.#parts.get(key);
  }

  /** Keeps a part; once this returns, it is on disk. */
  async put(key: string, part: Part): Promise<void> {
    this.#parts.set(key, part);
    await this.#append(JSON.stringify([key, part]));
  }

  /** Removes the file: the whole is written. */
  async remove(): Promise<void> {
    this.#file.close();
    await Deno.remove(this.#path);
  }

  async #append(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    await this.#file.syncData();
  }

  [Symbol.dispose](): void {
    try {
      this.#file.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // removed, hence closed
    }
  }
}

/** The lines that have their end, and how many bytes they take. */
function wholeLines(bytes: Uint8Array): { lines: string[]; bytes: number } {
  const end = bytes.lastIndexOf(0x0a) + 1;
  const text = new TextDecoder().decode(bytes.subarray(0, end));
  return { lines: text.split("\n").slice(0, -1), bytes: end };
}
