/** The pages of a column chunk, read from front to back. */

import type { ByteSource } from "../byte_source.ts";
import { InputError } from "../input_error.ts";
import { type PageHeader, readPageHeader } from "./pages.ts";

/** Bytes of one read: a page and, mostly, the header of the next. */
const WINDOW_BYTES = 2 ** 20;

/** Bytes of a file, half open. */
export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/** Reads a column chunk from front to back in windows of about WINDOW_BYTES. */
export class PageReader {
  #at: number;
  #window: ByteRange & { bytes: Uint8Array<ArrayBuffer> };

  constructor(
    readonly source: ByteSource,
    readonly range: ByteRange,
    readonly mostCells: number,
    readonly where: string,
  ) {
    this.#at = range.begin;
    this.#window = { begin: 0, end: 0, bytes: new Uint8Array() };
  }

  /** The header of the page at hand; moves behind it. */
  async header(): Promise<PageHeader> {
    if (this.#at >= this.range.end) throw damaged(this.where, "it ends before its last row");
    // headers are some tens of bytes, unless they hold statistics of long texts
    let view = await this.#peek(Math.min(256, this.range.end - this.#at));
    let header = attempt(() => readPageHeader(view, this.mostCells));
    if (!header) {
      view = await this.#peek(Math.min(WINDOW_BYTES, this.range.end - this.#at));
      header = guarded(this.where, () => readPageHeader(view, this.mostCells));
    }
    this.#at += header.headerBytes;
    return header;
  }

  /** The next bytes, whole. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length > this.range.end - this.#at) throw damaged(this.where, "a page is cut short");
    const bytes = await this.#peek(length);
    this.#at += length;
    return bytes;
  }

  skip(length: number): void {
    this.#at += length;
  }

  async #peek(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#at < this.#window.begin || this.#at + length > this.#window.end) {
      const end = Math.min(this.range.end, this.#at + Math.max(length, WINDOW_BYTES));
      const bytes = await this.source.read(this.#at, end);
      this.#window = { begin: this.#at, end, bytes };
    }
    const begin = this.#at - this.#window.begin;
    return this.#window.bytes.subarray(begin, begin + length);
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Whatever goes wrong while bytes are decoded is the file's fault. */
export function guarded<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw damaged(where, (error as Error).message.split("\n")[0]);
  }
}

/** What to throw when a file is not what it says it is. */
export function damaged(where: string, why: string): InputError {
  return new InputError(`${where} is not a readable Parquet file (${why}); fetch it again.`);
}
