/** .npz archives of arrays. */
import { memorySource } from "../../../lib/formats/byte_source.ts";
import { openNpz } from "../../../lib/formats/npz.ts";
import { type Bytes, concat, integer, interesting, mutateBytes } from "../bytes.ts";
import type { Random } from "../random.ts";
import { fixtures } from "../seeds.ts";
import { type Target, WHERE } from "../target.ts";
import { readTensors } from "../tensors.ts";
import { entriesOf, type Entry, mutateArchive } from "../zip_writer.ts";

const files = fixtures("npz/stored.npz", "npz/deflated.npz", "npz/dtypes.npz", "npz/streamed.npz");
const known = new Map<Bytes, Entry[]>();

/** npz, with the ZIP and npy readers below it. */
export const npz: Target = {
  name: "npz",
  share: 8,
  async seeds() {
    for (const file of files) if (!known.has(file)) known.set(file, await entriesOf(file));
    return files;
  },
  mutate: (seed, random, seeds) =>
    mutateArchive(known.get(seed) ?? [], random, seeds, mutateArrays),
  async read(bytes) {
    await readTensors(await openNpz(memorySource(bytes), WHERE));
  },
};

function mutateArrays(entries: Entry[], random: Random): void {
  const entry = random.pick(entries);
  const length = new DataView(entry.data.buffer).getUint16(8, true);
  const header = new TextDecoder("latin1").decode(entry.data.subarray(10, 10 + length));
  let changed = header.trimEnd();
  for (let i = random.few(); i > 0; i--) changed = changedHeader(changed, random);
  if (random.chance(80)) changed = changed.padEnd(length - 1) + "\n";
  let text = Uint8Array.from(changed, (letter) => letter.charCodeAt(0));
  if (random.chance(10)) text = mutateBytes(text, random, []);
  const said = random.chance(5) ? interesting(random) : text.length;
  entry.data = concat(
    entry.data.subarray(0, 8),
    integer(said, 2),
    text,
    entry.data.subarray(10 + length),
  );
}

function changedHeader(header: string, random: Random): string {
  const sizes = () => String(random.chance(50) ? interesting(random) : random.below(100));
  return random.pick([
    () => header.replace(/\d+(?=[,)])/, sizes),
    () => header.replace(/\(([^)]*)\)/, () => `(${sizes()}, ${sizes()})`),
    () => header.replace(/\(([^)]*)\)/, () => `(${"1, ".repeat(random.pick([3, 64, 65, 1000]))})`),
    () => header.replace(/\(([^)]*)\)/, () => `(0, ${sizes()}, ${sizes()})`),
    () => header.replace(/'[<>|=]\w+'/, () => `'${random.pick(DESCRIPTIONS)}'`),
    () => header.replace(/True|False/, (flag) => flag === "True" ? "False" : "True"),
    () => header.replace(/'(descr|shape|fortran_order)'/, "'__proto__'"),
    () => header.replace("}", "'descr': '<f4', }"),
    () => header + " ".repeat(random.below(5000)),
  ])();
}

const DESCRIPTIONS = ["<f4", "<f8", "<f2", ">f4", "|O", "<c8", "|V8", "<U9", "|b1", "x".repeat(99)];
