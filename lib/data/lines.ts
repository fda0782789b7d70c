/** Lines of text files, read from front to back. */

import type { ByteSource } from "../formats/byte_source.ts";
import { InputError } from "../formats/input_error.ts";

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = "\ufeff";
/** Bytes of the first read and the most of one. */
const FIRST_WINDOW = 2 ** 18;
const LAST_WINDOW = 2 ** 24;
const MAX_LINE_BYTES = 2 ** 26;

/**
 * Lines of a file without their end (LF or CRLF) and without a byte order mark before the first.
 * No more is read than the lines that are taken, in windows that grow.
 *
 * @param where the file, for messages
 * @throws InputError when the file cannot be read, or a line is not UTF-8 or has no end
 */
export async function* readLines(source: ByteSource, where: string): AsyncGenerator<string> {
  let number = 0;
  for await (const bytes of splitLines(windows(source), where)) {
    number++;
    const line = decodeLine(bytes, where, number);
    yield number === 1 && line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
  }
}

async function* windows(source: ByteSource): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let begin = 0, length = FIRST_WINDOW; begin < source.size; length *= 2) {
    const end = Math.min(source.size, begin + Math.min(length, LAST_WINDOW));
    yield await source.read(begin, end);
    begin = end;
  }
}

async function* splitLines(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  where: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let begun: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      yield join([...begun, chunk.subarray(start, end)]);
      begun = [];
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
    if (begun.reduce((sum, { length }) => sum + length, 0) > MAX_LINE_BYTES) {
      throw new InputError(
        `${where} has a line of more than ${MAX_LINE_BYTES} bytes, expected a text per line; ` +
          `divide it.`,
      );
    }
  }
  if (begun.length > 0) yield join(begun);
}

function join(parts: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function decodeLine(bytes: Uint8Array<ArrayBuffer>, where: string, number: number): string {
  const carriageReturn = bytes.at(-1) === 0x0d ? 1 : 0;
  const line = bytes.subarray(0, bytes.length - carriageReturn);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    throw new InputError(
      `${where} line ${number}, byte ${firstBadByte(line)}, is not UTF-8; convert it to UTF-8.`,
    );
  }
}

/** Number, from 1, of the byte at which a line stops being UTF-8. */
function firstBadByte(line: Uint8Array<ArrayBuffer>): number {
  let good = 0;
  let bad = line.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (beginsAsUtf8(line.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return Math.min(bad, line.length);
}

/** True when more bytes could make these UTF-8. */
function beginsAsUtf8(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
