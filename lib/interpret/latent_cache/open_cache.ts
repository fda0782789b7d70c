/**
 * Reading a cache of activations, this program's or delphi's (spec train-and-interpret B.2), a block of
 * entries at a time.
 */
import { join } from "node:path";
import { isFile, isFolder } from "../../data/file_tree.ts";
import { listFolder } from "../../data/files.ts";
import type { OpenTensors } from "../../data/opened_tensors.ts";
import { openSafetensorsFile } from "../../data/safetensors_files.ts";
import type { TokenRows } from "../../data/token_rows.ts";
import { toFloat32 } from "../../formats/dtype.ts";
import { InputError } from "../../formats/input_error.ts";
import { configPath, hookpointFolder, readOwnConfig } from "./cache_config.ts";
import { openTokens } from "./cached_tokens.ts";
import { type LatentRange, rangeOfName } from "./splits.ts";

/** Entries that are read at a time. */
const BLOCK = 2 ** 18;

/** A file of a hookpoint. */
export interface CachedSplit extends LatentRange {
  readonly path: string;
}

/** Some entries of a file, in its order. */
export interface EntryBlock {
  readonly rows: ArrayLike<number>;
  readonly positions: ArrayLike<number>;
  /** Counted from the SAE's first. */
  readonly latents: ArrayLike<number>;
  readonly activations: Float32Array<ArrayBuffer>;
}

/** A whole cache. */
export interface LatentCache extends Disposable {
  readonly folder: string;
  /** The token matrix. */
  readonly tokens: TokenRows;
  /** Files of a hookpoint, ascending. */
  splits(hookpoint: string): readonly CachedSplit[];
  /** All entries of a file. @throws InputError when the file is not as it should be */
  entries(split: CachedSplit): AsyncGenerator<EntryBlock>;
}

/**
 * Opens a cache.
 *
 * @param folder of the run: what has `latents/` in it
 * @param hookpoints those that are going to be read
 * @throws InputError when one of them is not there, or not whole
 */
export async function openLatentCache(
  folder: string,
  hookpoints: readonly string[],
): Promise<LatentCache> {
  const splits = new Map<string, CachedSplit[]>();
  for (const hookpoint of hookpoints) splits.set(hookpoint, await splitsOf(folder, hookpoint));
  const files = [...splits.values()].flat().map(({ path }) => path);
  const tokens = await openTokens(folder, files);
  using undo = new DisposableStack();
  undo.use(tokens);
  for (const hookpoint of hookpoints) {
    const own = await readOwnConfig(folder, hookpoint);
    if (tokens.identity === undefined || own?.identity === tokens.identity) continue;
    throw new InputError(
      `${
        hookpointFolder(folder, hookpoint)
      } is of other tokens than those in ${folder}; cache its ` +
        `activations anew.`,
    );
  }
  undo.move();
  return {
    folder,
    tokens,
    splits: (hookpoint) => {
      const known = splits.get(hookpoint);
      if (!known) throw new RangeError(`${hookpoint} was not opened`);
      return known;
    },
    entries: (split) => entriesOf(split, tokens),
    [Symbol.dispose]: () => tokens[Symbol.dispose](),
  };
}

async function splitsOf(folder: string, hookpoint: string): Promise<CachedSplit[]> {
  const place = hookpointFolder(folder, hookpoint);
  if (!await isFolder(place)) {
    throw new InputError(
      `${folder} has no activations of ${hookpoint}: there is no ${place}; cache them first.`,
    );
  }
  if (!await isFile(configPath(folder, hookpoint))) {
    throw new InputError(
      `${place} is not whole: it has no config.json; cache its activations to the end.`,
    );
  }
  const splits = (await listFolder(place)).flatMap((name) => {
    const range = rangeOfName(name);
    return range ? [{ ...range, path: join(place, name) }] : [];
  }).sort((a, b) => a.first - b.first);
  const broken = splits.findIndex(({ first }, i) => first !== (i > 0 ? splits[i - 1].end : 0));
  if (splits.length > 0 && broken < 0) return splits;
  throw new InputError(
    `${place} does not have the files of all latents, first to last; cache its activations anew.`,
  );
}

async function* entriesOf(
  { path, first, end }: CachedSplit,
  { rows, contextLength }: TokenRows,
): AsyncGenerator<EntryBlock> {
  using tensors = await openSafetensorsFile(path);
  const count = entryCount(tensors, path);
  const { dtype } = tensors.info("locations");
  const limits = [rows, contextLength, end - first];
  for (let from = 0; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK);
    const { buffer } = await tensors.read("locations", from, to);
    const locations = dtype === "U16" ? new Uint16Array(buffer) : new Uint32Array(buffer);
    const column = (i: number, offset = 0) =>
      Uint32Array.from({ length: to - from }, (_, entry) => {
        const value = locations[3 * entry + i];
        if (value < limits[i]) return offset + value;
        throw new InputError(
          `${path} has a location ${value}, expected a ${LOCATION[i]} below ${
            limits[i]
          }; cache the ` +
            `activations anew.`,
        );
      });
    yield {
      rows: column(0),
      positions: column(1),
      latents: column(2, first),
      activations: toFloat32(await tensors.read("activations", from, to), "F16"),
    };
  }
}

/** What the columns of `locations` are. */
const LOCATION = ["row", "position", "latent"] as const;

function entryCount(tensors: OpenTensors, path: string): number {
  const locations = tensors.info("locations");
  const activations = tensors.info("activations");
  const [count] = locations.shape;
  const isValid = (locations.dtype === "U16" || locations.dtype === "U32") &&
    locations.shape.length === 2 && locations.shape[1] === 3 &&
    activations.dtype === "F16" && activations.shape.length === 1 &&
    activations.shape[0] === count;
  if (isValid) return count;
  throw new InputError(
    `${path} has locations ${locations.dtype} [${locations.shape}] and activations ` +
      `${activations.dtype} [${activations.shape}], expected U16 or U32 [n, 3] and F16 [n]; cache the ` +
      `activations anew.`,
  );
}
