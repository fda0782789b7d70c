/** Counts on disk: one file per data set and language, each saying exactly what it counts. */
import { basename, join } from "node:path";
import { z } from "zod";
import { listFolder, readBytes, writeAtomic } from "../data/files.ts";
import { isFolder } from "../data/file_tree.ts";
import { parseRepoRef } from "../data/hub/repo.ts";
import { type Counts, decodeCounts, encodeCounts } from "../formats/counts.ts";
import { InputError } from "../formats/input_error.ts";
import { fromBytes } from "../formats/safetensors.ts";

/**
 * What counts depend on. Two files with the same identity hold the same integers (on one adapter);
 * counts are reused, and interrupted counts resumed, only when all of it matches.
 */
export interface CountIdentity {
  /** SHA-256 of the model's files. */
  readonly model: Readonly<Record<string, string>>;
  /** SHA-256 of the SAEs' files. */
  readonly saes: Readonly<Record<string, string>>;
  readonly hookpoints: readonly string[];
  /** SHA-256 of the texts of each data set named for this language. */
  readonly corpus: readonly string[];
  /** SHA-256 of the code that counts. */
  readonly code: string;
  readonly compat: "paper" | null;
  /** Most groups of documents that are counted apart; 0 for none. */
  readonly documentGroups: number;
  /** Whether BOS is left out. */
  readonly excludeBos: boolean;
}

/** Counts and what their file says about them. */
export interface StoredCounts {
  readonly counts: Counts;
  /** JSON of a CountIdentity; empty in files of other programs. */
  readonly identity: string;
  /** The adapter, driver and kernels that counted. */
  readonly adapter: string;
}

/**
 * Folder of a data set's counts, below that of all counts: `owner/name` of one of the hub, else the
 * last part of its path.
 */
export function datasetFolder(name: string, onHub: boolean): string {
  return (onHub ? parseRepoRef(name, "dataset")?.id : undefined) ?? basename(name);
}

/**
 * Where the counts of one language of a data set go.
 *
 * @param dataset its {@linkcode datasetFolder}
 */
export function countsPath(folder: string, dataset: string, lang: string): string {
  return join(folder, dataset, `${lang}.safetensors`);
}

/** Where an interrupted count of it waits to be resumed. */
export function partialPath(folder: string, dataset: string, lang: string): string {
  return join(folder, dataset, `${lang}.partial.safetensors`);
}

/** Writes counts, atomically. */
export async function writeCounts(
  path: string,
  { counts, identity, adapter }: StoredCounts,
): Promise<void> {
  await writeAtomic(path, encodeCounts(counts, { identity, adapter }));
}

const Metadata = z.looseObject({
  identity: z.string().default(""),
  adapter: z.string().default(""),
});

/**
 * Reads counts.
 *
 * @throws InputError when the file is missing or holds no counts
 */
export async function readCounts(path: string): Promise<StoredCounts> {
  const bytes = await readBytes(path);
  const { identity, adapter } = Metadata.parse({ ...fromBytes(bytes, path).metadata });
  return { counts: decodeCounts(bytes, path), identity, adapter };
}

/** Reads counts if they are there and count exactly this. */
export async function readCountsOf(
  path: string,
  identity: string,
): Promise<StoredCounts | undefined> {
  try {
    const stored = await readCounts(path);
    return stored.identity === identity ? stored : undefined;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** A counts file found in a folder, by what it counts. */
export interface FoundCounts {
  readonly path: string;
  readonly dataset: string;
  readonly lang: string;
}

/**
 * Finds the counts of these data sets, or of all in the folder.
 *
 * @param folder holds a folder per data set (two deep for a data set of the hub, `owner/name`) with
 *   a file per language
 * @throws InputError when there are none; one that is named but missing is found out when it is read
 */
export async function findStoredCounts(
  folder: string,
  named?: readonly { readonly name: string; readonly lang: string }[],
): Promise<FoundCounts[]> {
  const wanted = named
    ? await Promise.all(named.map(async ({ name, lang }) => {
      const onHub = await isFolder(join(folder, datasetFolder(name, true)));
      return { dataset: datasetFolder(name, onHub), lang };
    }))
    : await allCounts(folder);
  if (wanted.length === 0) {
    throw new InputError(
      `${folder} holds no counts, expected <data set>/<language>.safetensors: run "babelscope count" first ` +
        `or correct --in-path.`,
    );
  }
  return wanted.map(({ dataset, lang }) => ({
    path: countsPath(folder, dataset, lang),
    dataset,
    lang,
  }));
}

/** Data sets are folders, those of the hub `owner/name`. */
async function allCounts(folder: string): Promise<{ dataset: string; lang: string }[]> {
  const datasets: string[] = [];
  for (const name of await subfolders(folder)) {
    datasets.push(name);
    for (const inner of await subfolders(join(folder, name))) datasets.push(`${name}/${inner}`);
  }
  const found: { dataset: string; lang: string }[] = [];
  for (const dataset of datasets) {
    for (const name of await listFolder(join(folder, dataset))) {
      const [, lang] = /^([^.]+)\.safetensors$/.exec(name) ?? [];
      if (lang) found.push({ dataset, lang });
    }
  }
  return found;
}

async function subfolders(folder: string): Promise<string[]> {
  const names = await listFolder(folder);
  const stats = await Promise.all(names.map((name) => Deno.stat(join(folder, name))));
  return names.filter((_, i) => stats[i].isDirectory);
}
