/**
 * `neighbours/<hookpoint>-<type>.json`: {latent: [[similarity, neighbour], …]}, the likest first (spec
 * train-and-interpret B.1, B.4). Beside it, `….made.json` says what it was made from.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { isFile } from "../../data/file_tree.ts";
import { readJson, writeAtomic } from "../../data/files.ts";
import { InputError } from "../../formats/input_error.ts";
import type { Target } from "../../sae/target.ts";
import type { LatentsByHookpoint } from "../latent_cache/cache_options.ts";
import { type LatentCache, openLatentCache } from "../latent_cache/open_cache.ts";
import type { NeighboursType } from "./example_source.ts";
import {
  coOccurrence,
  decoderSimilarity,
  encoderSimilarity,
  type NeighbourLists,
  type TokenLatents,
} from "./neighbours.ts";

const Neighbours = z.record(
  z.string().regex(/^\d{1,9}$/),
  z.array(z.tuple([z.number(), z.int().nonnegative()])),
);
const Made = z.object({ identity: z.string() });

/** What neighbours are made of. */
export interface NeighbourOptions {
  /** Folder of the run; by co-occurrence, its cache is read. It has to be claimed. */
  readonly folder: string;
  readonly type: NeighboursType;
  /** Latents whose neighbours are wanted. */
  readonly latents: LatentsByHookpoint;
  /** What the SAEs and the cache depend on; any JSON value. */
  readonly identity: unknown;
  /** Take what another program left, which does not say what it was made from. */
  readonly takePublished?: boolean;
  /** Make them anew, whatever is there (`--overwrite neighbours`). */
  readonly overwrite?: boolean;
}

/**
 * Finds and writes the neighbours of latents, where an earlier run of the same identity did not.
 *
 * @param targets hookpoints with SAEs
 * @param show told the hookpoints that are done
 * @throws InputError when files cannot be read or written, or an SAE has no decoder to compare
 */
export async function prepareNeighbours(
  targets: readonly Target[],
  options: NeighbourOptions,
  show: (done: number) => void = () => {},
): Promise<void> {
  const { folder, type, identity } = options;
  for (const [done, target] of targets.entries()) {
    show(done);
    const { name } = target.hookpoint;
    const latents = [...options.latents.get(name) ?? []].sort((a, b) => a - b);
    if (latents.length === 0) continue;
    const about = JSON.stringify([identity, latents]);
    const made = { identity: createHash("sha256").update(about).digest("hex") };
    const path = neighboursPath(folder, name, type);
    if (!options.overwrite && await isMade(path, made.identity)) continue;
    if (!options.overwrite && options.takePublished && await isPublished(path)) continue;
    const lists = await neighboursOf(target, latents, folder, type);
    await writeAtomic(path, `${JSON.stringify(Object.fromEntries(lists))}\n`);
    await writeAtomic(madePath(path), `${JSON.stringify(made)}\n`);
  }
  show(targets.length);
}

/**
 * The neighbours of a hookpoint's latents.
 *
 * @throws InputError when the file is not there, or not as it should be
 */
export async function readNeighbours(
  folder: string,
  hookpoint: string,
  type: NeighboursType,
): Promise<NeighbourLists> {
  const path = neighboursPath(folder, hookpoint, type);
  const { data } = Neighbours.safeParse(await readJson(path));
  if (!data) {
    throw new InputError(
      `${path} does not hold lists of [similarity, latent] by latent; make the neighbours anew.`,
    );
  }
  return new Map(
    Object.entries(data).map(([latent, list]) => [
      Number(latent),
      list.filter(([, neighbour]) => neighbour !== Number(latent)),
    ]),
  );
}

function neighboursPath(folder: string, hookpoint: string, type: NeighboursType): string {
  return join(folder, "neighbours", `${hookpoint}-${type}.json`);
}

function madePath(path: string): string {
  return path.replace(/\.json$/, ".made.json");
}

async function isMade(path: string, identity: string): Promise<boolean> {
  if (!await isFile(path) || !await isFile(madePath(path))) return false;
  return Made.safeParse(await readJson(madePath(path))).data?.identity === identity;
}

async function isPublished(path: string): Promise<boolean> {
  return await isFile(path) && !await isFile(madePath(path));
}

async function neighboursOf(
  { hookpoint: { name }, sae }: Target,
  latents: readonly number[],
  folder: string,
  type: NeighboursType,
): Promise<NeighbourLists> {
  if (!sae) throw new RangeError(`${name} has no SAE`);
  switch (type) {
    case "encoder_similarity":
      return await encoderSimilarity(latents, sae.encoder);
    case "decoder_similarity":
      if (sae.decoder) return await decoderSimilarity(latents, sae.decoder, sae.latents);
      throw new InputError(
        `${sae.where} has no decoder to compare latents by; choose --neighbours-type ` +
          `encoder_similarity.`,
      );
    case "co-occurrence": {
      using cache = await openLatentCache(folder, [name]);
      return await coOccurrence(latents, () => tokenLatents(cache, name));
    }
  }
}

/** Token and latent of every entry of a hookpoint. */
async function* tokenLatents(cache: LatentCache, hookpoint: string): AsyncGenerator<TokenLatents> {
  const { contextLength } = cache.tokens;
  for (const split of cache.splits(hookpoint)) {
    for await (const { rows, positions, latents } of cache.entries(split)) {
      const tokens = Uint32Array.from(
        { length: latents.length },
        (_, i) => rows[i] * contextLength + positions[i],
      );
      yield { tokens, latents };
    }
  }
}
