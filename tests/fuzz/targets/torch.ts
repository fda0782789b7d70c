/** Files of torch.save, and the unpickler below them. */
import { memorySource } from "../../../lib/formats/byte_source.ts";
import { readTorchFile, type TorchValue } from "../../../lib/formats/torch_file.ts";
import { TorchTensor } from "../../../lib/formats/torch_tensor.ts";
import { stateDict } from "../../../lib/formats/torch_tensors.ts";
import { type Bytes, concat, integer, interesting, mutateBytes, utf8 } from "../bytes.ts";
import { type Operation, operationsOf } from "../pickle_operations.ts";
import type { Random } from "../random.ts";
import { fixtures } from "../seeds.ts";
import { type Target, WHERE } from "../target.ts";
import { readTensors } from "../tensors.ts";
import { entriesOf, type Entry, mutateArchive } from "../zip_writer.ts";

const files = fixtures(
  "torch/tensors.pt",
  "torch/views.pt",
  "torch/values.pt",
  "torch/values_4.pt",
);
const known = new Map<Bytes, Entry[]>();
/** Operations of all seeds, to put into one another. */
const pool: Operation[] = [];

/** torch.save files. */
export const torch: Target = {
  name: "torch",
  share: 14,
  async seeds() {
    for (const file of files) {
      if (known.has(file)) continue;
      const entries = await entriesOf(file);
      known.set(file, entries);
      pool.push(...operationsOf(pickleOf(entries).data));
    }
    return files;
  },
  mutate: (seed, random, seeds) =>
    mutateArchive(known.get(seed) ?? [], random, seeds, mutatePickle),
  async read(bytes) {
    const value = await readTorchFile(memorySource(bytes), WHERE);
    await readValue(value);
    await readTensors(stateDict(value, WHERE));
  },
};

/** Whatever the file holds, as a caller would walk through it. */
async function readValue(value: TorchValue): Promise<void> {
  if (value instanceof TorchTensor) {
    const rows = value.shape[0] ?? 1;
    await value.read(0, Math.min(rows, 64));
    await value.read(Math.max(0, rows - 64));
  } else if (Array.isArray(value)) {
    for (const inner of value) await readValue(inner);
  } else if (value instanceof Map) {
    for (const inner of value.values()) await readValue(inner);
  } else if (typeof value === "object" && value !== null) {
    await readValue(value.indices);
    await readValue(value.values);
  }
}

function pickleOf(entries: readonly Entry[]): Entry {
  return entries.find(({ name }) => name.endsWith("/data.pkl"))!;
}

function mutatePickle(entries: Entry[], random: Random): void {
  const pickle = pickleOf(entries);
  if (random.chance(10)) {
    pickle.data = mutateBytes(pickle.data, random, []);
    return;
  }
  const operations = [...operationsOf(pickle.data)];
  for (let i = random.few(); i > 0; i--) changeOperation(operations, random);
  pickle.data = concat(...operations);
}

function changeOperation(operations: Operation[], random: Random): void {
  const at = random.below(operations.length);
  const from = random.below(operations.length);
  const stretch = operations.slice(from, from + random.few() ** 2);
  random.pick([
    () => operations.splice(at, random.few()),
    () => operations.splice(at, 0, operations[from]),
    () => [operations[at], operations[from]] = [operations[from], operations[at]],
    () => operations[at] = random.pick(pool),
    () => operations.splice(at, 0, random.pick(pool)),
    () => operations.splice(at, 0, random.pick(EXTREME)),
    () => operations[at] = random.pick(EXTREME),
    () => operations[at] = changedArgument(operations[at], random),
    () => operations[at] = changedArgument(operations[at], random),
    () => operations.splice(at, 0, ...stretch),
    () => operations.splice(at, 0, ...new Array(random.chance(5) ? 999 : 9).fill(stretch).flat()),
  ])();
}

/** The same operation of another number, index or length. */
function changedArgument(operation: Operation, random: Random): Operation {
  if (operation.length < 2) return operation;
  const width = Math.min(operation.length - 1, random.pick([1, 2, 4, 8]));
  const changed = operation.slice();
  changed.set(integer(interesting(random), width), 1);
  return changed;
}

const text = (value: string) => concat([0x58], integer(value.length, 4), utf8(value));

/** Operations that pickles of data lack, or that ask for too much. */
const EXTREME: readonly Operation[] = [
  utf8("cos\nsystem\n"),
  utf8("cbuiltins\neval\n"),
  utf8("ctorch._utils\n_rebuild_tensor_v2\n"),
  utf8("ctorch._utils\n_rebuild_sparse_tensor\n"),
  utf8("ctorch\nSize\n"),
  utf8("ctorch\ndevice\n"),
  utf8("ctorch.serialization\n_get_layout\n"),
  utf8("ccollections\nOrderedDict\n"),
  utf8("c__builtin__\n__proto__\n"),
  utf8("c" + "m".repeat(300) + "\nn\n"),
  text("__proto__"),
  text("\n\u001b[2J"),
  text("storage"),
  text("t".repeat(5000)),
  concat([0x58], integer(0xffffffff, 4)),
  concat([0x8d], integer(2n ** 64n - 1n, 8)),
  concat([0x8b], integer(0x7fffffff, 4)),
  concat([0x8b], integer(0xffffffff, 4)),
  concat([0x8a, 9], integer(2n ** 63n, 8), [1]),
  concat([0x72], integer(0xffffffff, 4)),
  concat([0x6a], integer(0xffffffff, 4)),
  concat([0x4a], integer(-1, 4)),
  concat([0x4a], integer(0x7fffffff, 4)),
  concat([0x47], integer(0xff7f, 8)),
  ...[..."NRbQst()]}0123aeu.l2\x85\x86\x87\x88\x89\x93\x94"].map((letter) =>
    Uint8Array.of(letter.charCodeAt(0))
  ),
];
