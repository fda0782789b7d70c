/**
 * .npz: a ZIP archive of .npy files, as numpy.savez and numpy.savez_compressed write it. Arrays of
 * stored entries are read by ranges; those of deflated entries are inflated from their start.
 */

import type { ByteSource } from "./byte_source.ts";
import { crc32 } from "./crc32.ts";
import { InputError } from "./input_error.ts";
import { NPY_PREFIX_BYTES, npyDataStart, type NpyHeader, parseNpyHeader } from "./npy.ts";
import {
  columnRange,
  rowRange,
  type TensorInfo,
  tensorInfo,
  type TensorSource,
} from "./tensor_source.ts";
import { openZip, type ZipArchive } from "./zip.ts";
import type { ZipEntry } from "./zip_directory.ts";

const SUFFIX = ".npy";

/** One array of an archive. */
interface NpyArray {
  readonly entry: ZipEntry;
  /** The entry's inflated bytes: the header, then the elements. */
  readonly bytes: ByteSource;
  readonly header: NpyHeader;
  /** Checksum of the bytes before the first element, to go on from. */
  readonly prefixSum: number;
  /** Names it in messages. */
  readonly where: string;
}

/**
 * The arrays of an .npz archive, by their names without `.npy`. A read of a whole array compares its
 * checksum. Offsets of an array's info count from its own first element.
 *
 * @param where names the archive in messages
 * @throws InputError when it is not a valid ZIP archive, an entry is not an array that can be read,
 *   or an entry is longer or shorter than its array; reads throw it for damaged bytes
 */
export async function openNpz(source: ByteSource, where: string): Promise<TensorSource> {
  const zip = await openZip(source, where);
  const arrays = new Map<string, NpyArray>();
  for (const entry of zip.entries.values()) {
    if (!entry.name.endsWith(SUFFIX)) {
      throw new InputError(
        `${where} has entry ${JSON.stringify(entry.name)}, expected arrays (.npy) only; ` +
          `check that this is an .npz file.`,
      );
    }
    const name = entry.name.slice(0, -SUFFIX.length);
    arrays.set(name, await openArray(zip, entry, `array ${JSON.stringify(name)} of ${where}`));
  }
  return new NpzTensors(arrays, where);
}

class NpzTensors implements TensorSource {
  readonly metadata = Object.create(null) as Record<string, string>;
  readonly #infos: ReadonlyMap<string, TensorInfo>;

  constructor(readonly arrays: ReadonlyMap<string, NpyArray>, readonly where: string) {
    this.#infos = new Map(
      [...arrays].map(([name, { header: { dtype, shape, dataBytes } }]) => [
        name,
        { dtype, shape, begin: 0, end: dataBytes },
      ]),
    );
  }

  names() {
    return [...this.arrays.keys()];
  }

  info(name: string) {
    return tensorInfo(this.#infos, name, this.where);
  }

  async read(name: string, rowStart?: number, rowEnd?: number) {
    const { begin, end } = rowRange(name, this.info(name), rowStart, rowEnd);
    return await readData(this.#array(name), begin, end);
  }

  async readColumns(name: string, from: number, to: number) {
    const info = this.info(name);
    const { rows, begin, bytes, stride } = columnRange(name, info, from, to);
    const array = this.#array(name);
    // a deflated array is inflated once, not once per row
    const whole = array.entry.deflated ? await readData(array, 0, info.end) : undefined;
    const block = new Uint8Array(rows * bytes);
    for (let row = 0; row < rows; row++) {
      const at = begin + row * stride;
      const piece = whole?.subarray(at, at + bytes) ?? await readData(array, at, at + bytes);
      block.set(piece, row * bytes);
    }
    return block;
  }

  #array(name: string): NpyArray {
    return this.arrays.get(name) as NpyArray;
  }
}

async function openArray(zip: ZipArchive, entry: ZipEntry, where: string): Promise<NpyArray> {
  const bytes = await zip.open(entry.name);
  const start = await bytes.read(0, Math.min(NPY_PREFIX_BYTES, bytes.size));
  const dataStart = npyDataStart(start, where);
  const prefix = await bytes.read(0, Math.min(dataStart, bytes.size));
  const header = parseNpyHeader(prefix, where);
  const promised = header.dataStart + header.dataBytes;
  if (promised !== bytes.size) {
    throw new InputError(
      `${where} takes ${bytes.size} bytes, but its header promises ${promised} ` +
        `(${header.dtype} [${header.shape}]); fetch the file again.`,
    );
  }
  return { entry, bytes, header, prefixSum: crc32(prefix), where };
}

/** Bytes of an array, counted from its first element. */
async function readData(
  { entry, bytes, header, prefixSum, where }: NpyArray,
  begin: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const data = await bytes.read(header.dataStart + begin, header.dataStart + end);
  // reads of a deflated entry up to its end have compared it already
  const isWhole = !entry.deflated && data.length === header.dataBytes;
  if (isWhole && crc32(data, prefixSum) !== entry.crc32) {
    throw new InputError(`${where} does not match its checksum; fetch the file again.`);
  }
  return data;
}
