/**
 * Activations on their way to a file of the cache: appended in the order of tokens and saved now and
 * then, so that memory stays bounded and a stopped run goes on from the last save.
 */
import { dirname } from "node:path";
import { writeAtomic } from "../../data/files.ts";
import { openFileSource } from "../../data/file_source.ts";
import { encodeSafetensorsHeader } from "../../formats/safetensors.ts";
import type { TokenRows } from "../../data/token_rows.ts";

/** An entry is row u32, latent u32, position u16, activation f16. */
const ENTRY_BYTES = 12;
/** Entries that are read at a time. */
const BLOCK = 2 ** 16;
/** Rows of tokens that are read at a time. */
const TOKEN_ROWS = 1024;

/** Where an activation is. */
export interface EntryPlace {
  readonly row: number;
  /** Below 65,536. */
  readonly position: number;
  /** Counted from the file's first. */
  readonly latent: number;
}

/** The entries of one file while they come in. */
export class EntryFile implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #pending = new Uint32Array(3 * 1024);
  #halves = new Uint16Array(this.#pending.buffer);
  readonly #half = new Float16Array(1);
  readonly #halfBits = new Uint16Array(this.#half.buffer);
  #count = 0;
  #saved: number;

  private constructor(path: string, file: Deno.FsFile, saved: number) {
    this.#path = path;
    this.#file = file;
    this.#saved = saved;
  }

  /** @param saved bytes that an earlier run saved; what it wrote after them is dropped */
  static async open(path: string, saved: number): Promise<EntryFile> {
    await Deno.mkdir(dirname(path), { recursive: true });
    const file = await Deno.open(path, { write: true, create: true });
    await file.truncate(saved);
    await file.seek(0, Deno.SeekMode.End);
    return new EntryFile(path, file, saved);
  }

  /** Bytes that are not saved yet. */
  get pendingBytes(): number {
    return this.#count * ENTRY_BYTES;
  }

  /** Entries, saved or not. */
  get entries(): number {
    return this.#saved / ENTRY_BYTES + this.#count;
  }

  /** Appends an entry; they come by row, position and latent. */
  add({ row, position, latent }: EntryPlace, activation: number): void {
    if (3 * this.#count === this.#pending.length) this.#grow();
    this.#half[0] = activation;
    const at = this.#count++;
    this.#pending[3 * at] = row;
    this.#pending[3 * at + 1] = latent;
    this.#halves[6 * at + 4] = position;
    this.#halves[6 * at + 5] = this.#halfBits[0];
  }

  #grow(): void {
    const grown = new Uint32Array(2 * this.#pending.length);
    grown.set(this.#pending);
    this.#pending = grown;
    this.#halves = new Uint16Array(grown.buffer);
  }

  /** Writes what is pending; once this returns, it is on disk. @returns bytes saved so far */
  async save(): Promise<number> {
    if (this.#count === 0) return this.#saved;
    const bytes = new Uint8Array(this.#pending.buffer, 0, this.pendingBytes);
    for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    await this.#file.syncData();
    this.#saved += bytes.length;
    this.#count = 0;
    return this.#saved;
  }

  /**
   * Writes the file of the cache, a block at a time: `locations` [n, 3] (row, position, latent),
   * `activations` [n] and, if given, `tokens` [rows, L].
   */
  async finish(path: string, tokens: TokenRows | undefined): Promise<void> {
    await this.save();
    const entries = this.entries;
    const dtype = await this.#largest() < 2 ** 16 ? "U16" : "U32";
    const header = encodeSafetensorsHeader({
      locations: { dtype, shape: [entries, 3] },
      activations: { dtype: "F16", shape: [entries] },
      ...tokens && { tokens: { dtype: "I64", shape: [tokens.rows, tokens.contextLength] } },
    });
    const blocks = () => this.#blocks();
    await writeAtomic(
      path,
      (async function* () {
        yield header;
        for await (const block of blocks()) yield locationsOf(block, dtype);
        for await (const block of blocks()) yield activationsOf(block);
        if (tokens) yield* tokenBytes(tokens);
      })(),
    );
  }

  /**
   * Counts the entries of each latent.
   *
   * @param counts of all latents of the file's range, added to
   */
  async addCounts(counts: Uint32Array): Promise<void> {
    await this.save();
    for await (const block of this.#blocks()) {
      for (let at = 1; at < block.length; at += 3) counts[block[at]]++;
    }
  }

  /** The largest number among rows, positions and latents. */
  async #largest(): Promise<number> {
    let largest = 0;
    for await (const block of this.#blocks()) {
      for (const number of numbersOf(block)) largest = Math.max(largest, number);
    }
    return largest;
  }

  async *#blocks(): AsyncGenerator<Uint32Array<ArrayBuffer>> {
    using source = await openFileSource(this.#path);
    const step = BLOCK * ENTRY_BYTES;
    for (let at = 0; at < this.#saved; at += step) {
      const bytes = await source.read(at, Math.min(this.#saved, at + step));
      yield new Uint32Array(bytes.buffer);
    }
  }

  /** Removes the file: what it held is written elsewhere. */
  async remove(): Promise<void> {
    await Deno.remove(this.#path);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Rows, positions and latents of entries, [n, 3]. */
function numbersOf(block: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const halves = new Uint16Array(block.buffer);
  const numbers = new Uint32Array(block.length);
  for (let at = 0; at < block.length; at += 3) {
    numbers[at] = block[at];
    numbers[at + 1] = halves[2 * at + 4];
    numbers[at + 2] = block[at + 1];
  }
  return numbers;
}

function locationsOf(block: Uint32Array<ArrayBuffer>, dtype: "U16" | "U32"): Uint8Array {
  const numbers = numbersOf(block);
  return new Uint8Array((dtype === "U16" ? Uint16Array.from(numbers) : numbers).buffer);
}

function activationsOf(block: Uint32Array<ArrayBuffer>): Uint8Array {
  const halves = new Uint16Array(block.buffer);
  const values = Uint16Array.from({ length: block.length / 3 }, (_, i) => halves[6 * i + 5]);
  return new Uint8Array(values.buffer);
}

/** Token ids as int64, some rows at a time. */
export async function* tokenBytes(tokens: TokenRows): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < tokens.rows; from += TOKEN_ROWS) {
    const count = Math.min(TOKEN_ROWS, tokens.rows - from);
    const ids = await tokens.read(Array.from({ length: count }, (_, i) => from + i));
    yield new Uint8Array(BigInt64Array.from(ids, BigInt).buffer);
  }
}
