/**
 * Files of torch.save (.pt, .pth): a ZIP archive with a pickle of the value, `<folder>/data.pkl`, and
 * one entry per storage, `<folder>/data/<key>`. The pickle reaches tensors and plain data only, so
 * nothing of the file is ever executed; tensors read their bytes when they are asked for them.
 *
 * Format: torch/serialization.py and torch/_utils.py of PyTorch 2.6
 */

import type { ByteSource } from "./byte_source.ts";
import { DTYPE_BYTES } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { MAX_PICKLE_BYTES, unpickle } from "./pickle.ts";
import { storageReference, type TorchContext, torchGlobals } from "./torch_globals.ts";
import { type SparseTensor, TorchStorage, type TorchTensor } from "./torch_tensor.ts";
import { openZip, type ZipArchive } from "./zip.ts";
import { isZip } from "./zip_directory.ts";

/**
 * What a file of torch.save may hold. Tuples and torch.Size are arrays; dicts and OrderedDicts are
 * maps, whose keys are null, booleans, numbers or texts; whole numbers beyond 2^53 are bigints;
 * devices and layouts are their names. The whole is a tree of bounded size and depth.
 */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | TorchValue[]
  | Map<TorchValue, TorchValue>
  | TorchTensor
  | SparseTensor;

const PICKLE = /^([^/]+)\/data\.pkl$/;

/** Protocol opcode and number that every pickle since protocol 2 begins with. */
const PICKLE_START = 0x80;
/** How files of torch.save before PyTorch 1.6 go on: their magic number, as a LONG1. */
const LEGACY_MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/**
 * The value of a file of torch.save.
 *
 * @param where names the file in messages
 * @throws InputError when it is not such a file, or damaged; when it was written on a big-endian
 *   machine or by PyTorch before 1.6; when it holds anything but tensors, numbers, texts, lists and
 *   dicts, whatever that is
 */
export async function readTorchFile(source: ByteSource, where: string): Promise<TorchValue> {
  const prefix = await source.read(0, Math.min(source.size, 2 + LEGACY_MAGIC.length));
  if (!isZip(prefix)) throw notZip(prefix, where);
  const zip = await openZip(source, where);
  const folder = folderOf(zip, where);
  await checkByteOrder(zip, folder, where);
  const entry = await zip.open(`${folder}/data.pkl`);
  if (entry.size > MAX_PICKLE_BYTES) {
    throw new InputError(
      `${where} has a pickle of ${entry.size} bytes, more than the ${MAX_PICKLE_BYTES} that are ` +
        `read; save numbers as tensors, not as lists.`,
    );
  }
  const bytes = await entry.read(0, entry.size);
  // unpickle gives no ingredients, and of other values only what the constructors make
  return unpickle(bytes, contextOf(zip, folder, where), where) as TorchValue;
}

/** The one folder of the archive, which torch.save names after the file. */
function folderOf(zip: ZipArchive, where: string): string {
  const names = [...zip.entries.keys()];
  const folders = names.flatMap((name) => PICKLE.exec(name)?.[1] ?? []);
  if (names.some((name) => name.endsWith("/constants.pkl"))) {
    throw new InputError(
      `${where} is a TorchScript program, expected weights; save its state_dict() with torch.save.`,
    );
  }
  if (folders.length !== 1) {
    throw new InputError(
      `${where} is a ZIP archive with ${folders.length} entries data.pkl, expected the one that ` +
        `torch.save writes; check that this is a .pt file.`,
    );
  }
  return folders[0];
}

/** Files from before PyTorch 2.1 do not say their byte order: little-endian machines wrote them. */
async function checkByteOrder(zip: ZipArchive, folder: string, where: string): Promise<void> {
  const name = `${folder}/byteorder`;
  if (!zip.entries.has(name)) return;
  const entry = await zip.open(name);
  const order = new TextDecoder().decode(await entry.read(0, Math.min(entry.size, 16)));
  if (order === "little") return;
  throw new InputError(
    `${where} has byte order ${JSON.stringify(order)}, expected "little"; save it again on a ` +
      `little-endian machine.`,
  );
}

function notZip(prefix: Uint8Array, where: string): InputError {
  const isPickle = prefix[0] === PICKLE_START;
  if (isPickle && LEGACY_MAGIC.every((byte, i) => prefix[i + 2] === byte)) {
    return new InputError(
      `${where} is in the format of PyTorch before 1.6, expected the ZIP archive of later ` +
        `versions; load it with PyTorch and torch.save it again.`,
    );
  }
  const what = isPickle ? "a plain pickle, which is a program and is not run" : "no ZIP archive";
  return new InputError(
    `${where} is ${what}; expected a file of torch.save (.pt): check that this is the right file.`,
  );
}

/** What the pickle may reach: constructors of tensors, and storages of this archive. */
function contextOf(zip: ZipArchive, folder: string, where: string): TorchContext {
  const storages = new Map<string, TorchStorage>();
  return {
    globals: torchGlobals(where),
    persistent(id) {
      const { key, dtype, length } = storageReference(id, where);
      const name = `${folder}/data/${key}`;
      const size = zip.entries.get(name)?.size;
      if (size !== length * DTYPE_BYTES[dtype]) {
        throw new InputError(
          `${where} promises ${length} ${dtype} elements in ${JSON.stringify(name)}, which ` +
            `${size === undefined ? "is not there" : `has ${size} bytes`}; fetch it again.`,
        );
      }
      const known = storages.get(name);
      if (known?.dtype === dtype) return known;
      const storage = new TorchStorage(dtype, length, () => zip.open(name));
      storages.set(name, storage);
      return storage;
    },
  };
}
