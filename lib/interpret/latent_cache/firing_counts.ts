/**
 * On how many tokens latents fire: `log/hookpoint_firing_counts`, as safetensors and as JSON (spec
 * train-and-interpret B.1); torch's pickle is read, but not written.
 *
 * The tensor `<hookpoint>` int64 [M] counts all latents. Where only some were looked at it is [n], and
 * `<hookpoint>.latents` int64 [n] says which. The JSON names the latents that fire.
 */
import { join } from "node:path";
import { isFile } from "../../data/file_tree.ts";
import { writeAtomic } from "../../data/files.ts";
import type { OpenTensors } from "../../data/opened_tensors.ts";
import { openSafetensorsFile } from "../../data/safetensors_files.ts";
import { openTorchFile } from "../../data/torch_files.ts";
import { InputError } from "../../formats/input_error.ts";
import { encodeSafetensors, type Tensor } from "../../formats/safetensors.ts";

/** Counts of one hookpoint. */
export interface FiringCounts {
  /** Latents that were counted, ascending; all, if not given. */
  readonly latents: readonly number[] | undefined;
  /** Tokens on which each of them fires: its activation is above 0. */
  readonly counts: ArrayLike<number>;
}

/** File without its ending. */
const NAME = join("log", "hookpoint_firing_counts");

/** Writes the counts of hookpoints, by their names, into a run folder. */
export async function writeFiringCounts(
  folder: string,
  hookpoints: ReadonlyMap<string, FiringCounts>,
): Promise<void> {
  const tensors: Record<string, Tensor> = {};
  const fired: Record<string, Record<string, number>> = {};
  for (const [name, { latents, counts }] of hookpoints) {
    tensors[name] = int64(counts);
    if (latents) tensors[latentsKey(name)] = int64(latents);
    const entries = Array.from(counts, (count, i) => [latents ? latents[i] : i, count]);
    fired[name] = Object.fromEntries(entries.filter(([, count]) => count > 0));
  }
  await writeAtomic(join(folder, `${NAME}.safetensors`), encodeSafetensors(tensors));
  await writeAtomic(join(folder, `${NAME}.json`), `${JSON.stringify(fired)}\n`);
}

/**
 * The counts of a hookpoint as this program or delphi wrote them.
 *
 * @returns undefined where the run folder has none
 * @throws InputError when the file is not as it should be
 */
export async function readFiringCounts(
  folder: string,
  hookpoint: string,
): Promise<FiringCounts | undefined> {
  const path = join(folder, NAME);
  if (await isFile(`${path}.safetensors`)) {
    using tensors = await openSafetensorsFile(`${path}.safetensors`);
    return await countsIn(tensors, hookpoint, `${path}.safetensors`);
  }
  if (await isFile(`${path}.pt`)) {
    using tensors = await openTorchFile(`${path}.pt`);
    return await countsIn(tensors, hookpoint, `${path}.pt`);
  }
  return undefined;
}

async function countsIn(
  tensors: OpenTensors,
  hookpoint: string,
  path: string,
): Promise<FiringCounts | undefined> {
  const names = tensors.names();
  if (!names.includes(hookpoint)) return undefined;
  const listed = names.includes(latentsKey(hookpoint));
  const latents = listed ? await numbers(tensors, latentsKey(hookpoint), path) : undefined;
  const counts = await numbers(tensors, hookpoint, path);
  if (!latents || latents.length === counts.length) return { latents, counts };
  throw new InputError(
    `${path} has ${counts.length} counts for ${latents.length} latents of ${hookpoint}; cache the ` +
      `activations anew.`,
  );
}

async function numbers(tensors: OpenTensors, name: string, path: string): Promise<number[]> {
  const { dtype, shape } = tensors.info(name);
  if (dtype !== "I64" || shape.length !== 1) {
    throw new InputError(
      `${path} has ${dtype} [${shape}] in ${name}, expected I64 [latents]; cache the activations anew.`,
    );
  }
  const bytes = await tensors.read(name);
  return Array.from(new BigInt64Array(bytes.slice().buffer), Number);
}

function int64(numbers: ArrayLike<number>): Tensor {
  const data = BigInt64Array.from({ length: numbers.length }, (_, i) => BigInt(numbers[i]));
  return { dtype: "I64", shape: [numbers.length], data };
}

function latentsKey(hookpoint: string): string {
  return `${hookpoint}.latents`;
}
