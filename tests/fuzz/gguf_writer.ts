/** GGUF files in parts that can be changed one by one. */
import { type Bytes, concat, integer, utf8 } from "./bytes.ts";

/** A metadata entry: its value as it is stored. */
export interface GgufEntry {
  key: Bytes;
  type: number;
  value: Bytes;
}

/** What the list of tensors says of one. */
export interface GgufTensorEntry {
  name: Bytes;
  dimensions: bigint[];
  type: number;
  offset: bigint;
}

/** A file; counts are those of the lists unless they lie. */
export interface GgufParts {
  version: number;
  metadata: GgufEntry[];
  tensors: GgufTensorEntry[];
  data: Bytes;
  tensorCount?: bigint;
  metadataCount?: bigint;
}

/** Bytes of the types of fixed width, by their number. */
const WIDTHS = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const STRING = 8;
const ARRAY = 9;
const ALIGNMENT = 32;

/** The parts of a good file of the default alignment. */
export function ggufParts(file: Bytes): GgufParts {
  const view = new DataView(file.buffer);
  let at = 24;
  const u32 = () => view.getUint32((at += 4) - 4, true);
  const u64 = () => view.getBigUint64((at += 8) - 8, true);
  const text = () => {
    const length = Number(u64());
    return file.slice(at, at += length);
  };
  const skip = (type: number) => {
    if (type === STRING) text();
    else if (type === ARRAY) {
      const inner = u32();
      const count = Number(u64());
      if (inner < STRING || inner > ARRAY) at += count * WIDTHS[inner];
      else for (let i = 0; i < count; i++) skip(inner);
    } else at += WIDTHS[type];
  };
  const metadata = Array.from({ length: Number(view.getBigUint64(16, true)) }, (): GgufEntry => {
    const key = text();
    const type = u32();
    const begin = at;
    skip(type);
    return { key, type, value: file.slice(begin, at) };
  });
  const tensors = Array.from({ length: Number(view.getBigUint64(8, true)) }, () => ({
    name: text(),
    dimensions: Array.from({ length: u32() }, u64),
    type: u32(),
    offset: u64(),
  }));
  const data = file.slice(Math.ceil(at / ALIGNMENT) * ALIGNMENT);
  return { version: view.getUint32(4, true), metadata, tensors, data };
}

/** The file of these parts. */
export function writeGguf(parts: GgufParts): Bytes {
  const { version, metadata, tensors, data } = parts;
  const text = (bytes: Bytes) => concat(integer(bytes.length, 8), bytes);
  const header = concat(
    utf8("GGUF"),
    integer(version, 4),
    integer(parts.tensorCount ?? tensors.length, 8),
    integer(parts.metadataCount ?? metadata.length, 8),
    ...metadata.map(({ key, type, value }) => concat(text(key), integer(type, 4), value)),
    ...tensors.map(({ name, dimensions, type, offset }) =>
      concat(
        text(name),
        integer(dimensions.length, 4),
        ...dimensions.map((size) => integer(size, 8)),
        integer(type, 4),
        integer(offset, 8),
      )
    ),
  );
  const padding = new Uint8Array((ALIGNMENT - header.length % ALIGNMENT) % ALIGNMENT);
  return concat(header, padding, data);
}

/** A metadata entry with a text. */
export function textEntry(key: string, value: string): GgufEntry {
  const bytes = utf8(value);
  return { key: utf8(key), type: STRING, value: concat(integer(bytes.length, 8), bytes) };
}
