/** GGUF files, with the Llama and the tokenizer in them. */
import { memorySource } from "../../../lib/formats/byte_source.ts";
import { ggufTensors, parseGguf } from "../../../lib/formats/gguf.ts";
import { loadGgufTokenizer } from "../../../lib/formats/gguf_tokenizer.ts";
import { InputError } from "../../../lib/formats/input_error.ts";
import { ggufLlama } from "../../../lib/nn/gguf_llama.ts";
import { type Bytes, concat, integer, interesting, mutateBytes, utf8 } from "../bytes.ts";
import { type GgufParts, ggufParts, textEntry, writeGguf } from "../gguf_writer.ts";
import type { Random } from "../random.ts";
import { fixtures } from "../seeds.ts";
import { type Target, WHERE } from "../target.ts";
import { readTensors } from "../tensors.ts";
import { useTokenizer } from "./tokenizer.ts";

/** GGUF. */
export const gguf: Target = {
  name: "gguf",
  share: 14,
  seeds: () => Promise.resolve(seeds),
  mutate: mutateGguf,
  async read(bytes) {
    const source = memorySource(bytes);
    const header = await parseGguf(source, WHERE);
    const tensors = ggufTensors(source, header, WHERE);
    await readTensors(tensors);
    const refusals = await Promise.all([
      refusalOf(async () =>
        readTensors((await ggufLlama(header.metadata, tensors, WHERE)).tensors)
      ),
      refusalOf(() => useTokenizer(loadGgufTokenizer(header.metadata, WHERE))),
    ]);
    const refusal = refusals.find((error) => error !== undefined);
    if (refusal) throw refusal;
  },
};

const [blocks, tiny] = fixtures("gguf/blocks.gguf", "gguf/tiny.gguf");
const seeds = [smallLlama(), blocks];
const known = new Map(seeds.map((seed) => [seed, ggufParts(seed)]));

/** The fixture's Llama with so little of each tensor that an input is quickly made and read. */
function smallLlama(): Bytes {
  const parts = ggufParts(tiny);
  const tensors = parts.tensors.map((tensor, i) => ({
    ...tensor,
    dimensions: tensor.dimensions.map((size) => size < 32n ? size : 32n),
    type: tensor.dimensions[0] < 32n ? 0 : 8,
    offset: BigInt(i * 34 * 32),
  }));
  return writeGguf({ ...parts, tensors, data: new Uint8Array(tensors.length * 34 * 32).fill(1) });
}

async function refusalOf(read: () => unknown): Promise<InputError | undefined> {
  try {
    await read();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

function mutateGguf(seed: Bytes, random: Random, seeds: readonly Bytes[]): Bytes {
  if (random.chance(15)) return mutateBytes(seed, random, seeds);
  const parts = structuredClone(known.get(seed)!);
  for (let i = random.few(); i > 0; i--) changePart(parts, random);
  return writeGguf(parts);
}

function changePart(parts: GgufParts, random: Random): void {
  const { metadata, tensors } = parts;
  const entry = random.pick(metadata);
  const tensor = random.pick(tensors);
  const changeTensor = () => {
    if (!tensor) return;
    const at = random.below(tensor.dimensions.length);
    random.pick([
      () => tensor.type = random.pick([0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 30, 31, 0x7fffffff]),
      () => tensor.offset = random.pick([interesting(random), tensor.offset + 32n, 0n, 1n]),
      () => tensor.dimensions[at] = interesting(random),
      () => tensor.dimensions[at] = 2n * (tensor.dimensions[at] ?? 1n),
      () => tensor.dimensions.push(random.pick([0n, 1n, 2n, 1n << 62n])),
      () => tensor.dimensions.pop(),
      () => tensor.name = random.pick(tensors).name,
      () => tensor.name = utf8(random.pick(NAMES)),
      () => tensor.name = mutateBytes(tensor.name, random, []),
      () => tensors.push(structuredClone(tensor)),
      () => tensors.splice(tensors.indexOf(tensor), 1),
    ])();
  };
  const changeEntry = () => {
    if (!entry) return;
    random.pick([
      () => entry.type = random.pick([0, 4, 5, 6, 7, 8, 9, 10, 12, 13, 0xffffffff]),
      () => entry.value = mutateBytes(entry.value, random, []),
      () => entry.value = changedNumber(entry.value, random),
      () => entry.value = changedNumber(entry.value, random),
      () => entry.key = random.pick(metadata).key,
      () => entry.key = utf8(random.pick(NAMES)),
      () => [entry.value, entry.type] = [random.pick(metadata).value, random.pick(metadata).type],
      () => metadata.push(structuredClone(entry)),
      () => metadata.splice(metadata.indexOf(entry), 1),
      () => metadata.push({ key: utf8("nested"), type: 9, value: nested(random) }),
      () => metadata.push(textEntry(random.pick(NAMES), random.pick(NAMES))),
    ])();
  };
  random.pick([
    changeEntry,
    changeEntry,
    changeEntry,
    changeTensor,
    changeTensor,
    changeTensor,
    () => parts.tensorCount = interesting(random),
    () => parts.metadataCount = interesting(random),
    () => parts.version = random.pick([0, 1, 2, 3, 4, 0x03000000]),
    () => parts.data = mutateBytes(parts.data, random, []),
  ])();
}

/** A length, count or value at one of the places where an entry may have one. */
function changedNumber(value: Bytes, random: Random): Bytes {
  const changed = value.slice();
  const at = random.pick([0, 4, 12]);
  const width = random.pick([4, 8]);
  if (at + width <= changed.length) changed.set(integer(interesting(random), width), at);
  return changed;
}

/** Arrays in arrays, deeper than any file has. */
function nested(random: Random): Bytes {
  const level = concat(integer(9, 4), integer(random.pick([1n, 2n, 1n << 20n]), 8));
  return concat(...new Array(random.pick([1, 4, 5, 1000])).fill(level));
}

const NAMES = [
  "",
  "general.alignment",
  "general.architecture",
  "llama.block_count",
  "llama.attention.head_count",
  "tokenizer.ggml.pre",
  "tokenizer.ggml.tokens",
  "output.weight",
  "blk.0.attn_q.weight",
  "rope_freqs.weight",
  "__proto__",
  "\n\u001b[2J",
  "\u2028",
  "n".repeat(256),
  "n".repeat(70_000),
];
