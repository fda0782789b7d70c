/** Bytes that can be read by ranges, wherever they lie: in memory, in an open file, behind a URL. */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /**
   * A copy of bytes `begin` to `end`, half open.
   *
   * @throws RangeError when the range is not inside the source
   */
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes held in memory as a source. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    // async, so that a bad range rejects instead of throwing
    // deno-lint-ignore require-await
    async read(begin, end) {
      checkRange(begin, end, bytes.length);
      return bytes.slice(begin, end);
    },
  };
}

/** @throws RangeError when `begin` to `end` is not a range inside `size` bytes */
export function checkRange(begin: number, end: number, size: number): void {
  const inside = Number.isSafeInteger(begin) && Number.isSafeInteger(end) &&
    0 <= begin && begin <= end && end <= size;
  if (!inside) throw new RangeError(`bytes ${begin} to ${end} are not inside ${size} bytes`);
}
