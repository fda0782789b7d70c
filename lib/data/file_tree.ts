/** Files below a root, wherever that is: a local folder or a repository of a hub. */
import { basename, join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import type { Hub } from "./hub/hub.ts";
import { parseRepoRef, type RepoKind, type RepoRef } from "./hub/repo.ts";

/** Files that can be had as local ones. */
export interface FileTree {
  /** The root as it was named. */
  readonly name: string;
  /** What results call it: the last part of a folder's path, the whole name of a repository. */
  readonly title: string;
  /** Paths of all files below the root, `/` between their parts, sorted. */
  readonly paths: readonly string[];
  /**
   * Makes files local, fetching those that are not.
   *
   * @param paths some of `paths`
   * @returns the folder that holds them at their paths
   * @throws InputError when one cannot be had
   */
  local(paths: readonly string[]): Promise<string>;
  /** Bytes of some files, and how many of these are still to be fetched. */
  bytes(paths: readonly string[]): Promise<FileBytes>;
}

/** Sizes of files taken together. */
export interface FileBytes {
  readonly total: number;
  /** What is not on this machine yet. */
  readonly missing: number;
}

/** Deeper folders are not looked into: no model or SAE is kept so deep. */
const DEPTH = 6;

/** More files than any model or collection of SAEs has: the wrong folder was named. */
const MOST_FILES = 100_000;

/**
 * The files of a local folder or, if there is none of that name, of `owner/name`, `owner/name@revision`
 * or `owner/name/folder` on the hub.
 *
 * @param hub opened only when it is needed
 * @throws InputError when there is neither
 */
export async function openFileTree(
  name: string,
  kind: RepoKind,
  hub: () => Hub,
): Promise<FileTree> {
  if (await isFolder(name)) return await folderTree(name);
  const place = parseHubPlace(name, kind);
  if (!place) {
    throw new InputError(
      `There is no folder ${name}, and it is not the name of a repository (owner/name or ` +
        `owner/name@revision); check the path.`,
    );
  }
  return await repoTree(name, place, hub());
}

/** Whether there is a folder of this name. */
export async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path))?.isDirectory ?? false;
}

/** Whether there is a file of this name. */
export async function isFile(path: string): Promise<boolean> {
  return (await statOf(path))?.isFile ?? false;
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

/** A repository, and the folder in it that is the root. */
interface HubPlace {
  readonly ref: RepoRef;
  /** Ends with `/`, or is empty. */
  readonly folder: string;
}

/** What a name means on a hub; undefined when it cannot be one. */
export function parseHubPlace(name: string, kind: RepoKind): HubPlace | undefined {
  const whole = parseRepoRef(name, kind);
  if (whole) return { ref: whole, folder: "" };
  const [owner, repo, ...inside] = name.replace(/\/$/, "").split("/");
  const ref = repo ? parseRepoRef(`${owner}/${repo}`, kind) : undefined;
  const isPath = inside.every((part) => part !== "" && part !== "." && part !== "..");
  if (!ref || !isPath) return undefined;
  return { ref, folder: inside.length === 0 ? "" : `${inside.join("/")}/` };
}

async function folderTree(name: string): Promise<FileTree> {
  const paths: string[] = [];
  const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const directory = entry.isDirectory || entry.isSymlink && await isFolder(path);
      if (!directory) paths.push(prefix + entry.name);
      else if (depth < DEPTH) await walk(path, `${prefix}${entry.name}/`, depth + 1);
      if (paths.length > MOST_FILES) {
        throw new InputError(`${name} holds more than ${MOST_FILES} files; name the right folder.`);
      }
    }
  };
  try {
    await walk(name, "", 1);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new InputError(`Cannot read ${name}: permission denied; check the path.`);
  }
  return {
    name,
    title: basename(name),
    paths: paths.sort(),
    local: () => Promise.resolve(name),
    async bytes(paths) {
      const stats = await Promise.all(paths.map((path) => Deno.stat(join(name, path))));
      return { total: stats.reduce((sum, { size }) => sum + size, 0), missing: 0 };
    },
  };
}

async function repoTree(name: string, { ref, folder }: HubPlace, hub: Hub): Promise<FileTree> {
  const repo = await hub.open(ref).catch((error) => {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`There is no folder ${name} here, and on the hub: ${error.message}`);
  });
  const paths = repo.files.map(({ path }) => path).filter((path) => path.startsWith(folder))
    .map((path) => path.slice(folder.length)).sort();
  if (paths.length === 0) {
    throw new InputError(`${ref.id} has no folder ${folder.slice(0, -1)}; check the name.`);
  }
  return {
    name,
    title: name,
    paths,
    async local(paths) {
      return join(await hub.download(repo, paths.map((path) => folder + path)), folder);
    },
    async bytes(paths) {
      const files = repo.files.filter(({ path }) => paths.some((one) => folder + one === path));
      let [total, missing] = [0, 0];
      for (const { path, size } of files) {
        total += size;
        if (await hub.cached(repo, path) === undefined) missing += size;
      }
      return { total, missing };
    },
  };
}
