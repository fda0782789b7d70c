/** safetensors files, and counts in them. */
import { decodeCounts, encodeCounts } from "../../../lib/formats/counts.ts";
import { encodeSafetensors, fromBytes, headerLength } from "../../../lib/formats/safetensors.ts";
import { emptyCounts } from "../../../lib/lape/counts.ts";
import { type Bytes, concat, integer, interesting, mutateBytes, utf8 } from "../bytes.ts";
import { mutatedJsonText } from "../json.ts";
import type { Random } from "../random.ts";
import { type Target, WHERE } from "../target.ts";
import { readTensors } from "../tensors.ts";

/** safetensors. */
export const safetensors: Target = {
  name: "safetensors",
  share: 14,
  seeds: () =>
    Promise.resolve([tensorFile(), encodeSafetensors({}), encodeSafetensors({}, { a: "b" })]),
  mutate: mutateSafetensors,
  read: (bytes) => readTensors(fromBytes(bytes, WHERE)),
};

/** Counts of a language. */
export const counts: Target = {
  name: "counts",
  share: 10,
  seeds: () => Promise.resolve([countsFile()]),
  mutate: mutateSafetensors,
  // deno-lint-ignore require-await
  async read(bytes) {
    decodeCounts(bytes, WHERE);
  },
};

function tensorFile(): Bytes {
  return encodeSafetensors({
    "model.embed_tokens.weight": { dtype: "F32", shape: [5, 3], data: new Float32Array(15) },
    half: { dtype: "BF16", shape: [4, 2], data: new Uint16Array(8) },
    words: { dtype: "I64", shape: [2], data: new BigInt64Array(2) },
    scalar: { dtype: "F16", shape: [], data: new Uint16Array(1) },
    nothing: { dtype: "U8", shape: [0, 7], data: new Uint8Array() },
  }, { format: "pt" });
}

function countsFile(): Bytes {
  const some = emptyCounts([0, 3], 5);
  some.examples = 2;
  some.tokens = 40;
  some.firedTokens.fill(7);
  some.firedExamples.fill(2);
  some.sum.fill(1n << 30n);
  some.max.fill(2.5);
  some.min.fill(0.5);
  some.documents = {
    labels: ["udhr:0", "udhr:1"],
    tokens: Uint32Array.of(30, 10),
    offsets: Uint32Array.of(0, 2, 3),
    units: Uint32Array.of(0, 9, 4),
    firedTokens: Uint32Array.of(5, 30, 1),
  };
  some.activations = { width: 3, sum: new BigInt64Array(6).fill(-1n) };
  return encodeCounts(some, { model: "x" });
}

/** Changes to the header, whose length then mostly fits, or to anything. */
function mutateSafetensors(seed: Bytes, random: Random, seeds: readonly Bytes[]): Bytes {
  if (random.chance(15)) return mutateBytes(seed, random, seeds);
  const dataStart = 8 + headerLength(seed, seed.length, WHERE);
  const value = JSON.parse(new TextDecoder().decode(seed.subarray(8, dataStart)));
  let header = utf8(mutatedJsonText(value, random));
  if (random.chance(10)) header = mutateBytes(header, random, seeds);
  const length = random.chance(5) ? interesting(random) : header.length;
  const data = seed.subarray(dataStart);
  return concat(integer(length, 8), header, random.chance(10) ? data.subarray(1) : data);
}
