/**
 * SHA-256 of files, remembered: models and SAEs are gigabytes that do not change between runs. A
 * file that was not touched since (same path, inode, size and times) is not read again.
 */
import { InputError } from "../formats/input_error.ts";
import type { ByteStore } from "../gpu/self_test.ts";
import { sha256File } from "./files.ts";

/**
 * A file changed this recently may change again without its times telling: file systems keep them
 * only so fine. Its hash is not remembered.
 */
const SETTLED_MS = 2000;

/** Hashes files, through a store of what was hashed before. */
export class FileHasher {
  readonly #store: ByteStore | undefined;
  readonly #now: () => number;

  /**
   * @param store where hashes are remembered; absent: nowhere
   * @param now the clock, in milliseconds
   */
  constructor(store?: ByteStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * SHA-256 of a file in hexadecimal.
   *
   * @throws InputError when it cannot be read
   */
  async sha256(path: string): Promise<string> {
    const key = await settledIdentity(path, this.#now());
    const known = key && await this.#store?.get(key);
    if (known) return new TextDecoder().decode(known);
    const hash = await sha256File(path);
    if (key) await this.#store?.set(key, new TextEncoder().encode(hash));
    return hash;
  }
}

/** What tells an unchanged file; undefined for one that may be changing right now. */
async function settledIdentity(path: string, now: number): Promise<string | undefined> {
  try {
    const real = await Deno.realPath(path);
    const { size, ino, dev, mtime, ctime } = await Deno.stat(real);
    const latest = Math.max(Number(mtime), Number(ctime));
    if (!mtime || now - latest < SETTLED_MS) return undefined;
    return `sha256 ${JSON.stringify([real, dev, ino, size, Number(mtime), Number(ctime)])}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const why = error instanceof Deno.errors.NotFound ? "it does not exist" : String(error);
    throw new InputError(`Cannot read ${path}: ${why}; check the path.`);
  }
}
