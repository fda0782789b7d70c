/**
 * The cache folder of Python's huggingface_hub, shared with it (huggingface.co/docs/hub/local-cache):
 *
 *     models--owner--name/
 *       blobs/<etag>                   contents, named by SHA-256 (LFS) or git id
 *       blobs/<etag>.incomplete        what has arrived of one
 *       refs/<revision>                the commit that it named last
 *       snapshots/<commit>/<path>      relative link to the blob
 *     .locks/models--owner--name/<etag>.lock
 */

import { createHash } from "node:crypto";
import { basename, dirname, join, relative } from "node:path";
import { getRepoFolderName } from "@huggingface/hub";
import { readChunks, writeAtomic } from "../files.ts";
import { etagOf, isCommit, isSafePath, type Repo, type RepoFile, type RepoRef } from "./repo.ts";

/** The part of the cache that belongs to one repository. */
export class CachedRepo {
  readonly #folder: string;
  readonly #locks: string;

  /** @param cache the folder of all repositories */
  constructor(cache: string, { kind, id }: RepoRef) {
    const name = getRepoFolderName({ type: kind, name: id });
    this.#folder = join(cache, name);
    this.#locks = join(cache, ".locks", name);
  }

  /** Where the blob of a file is, or comes to be. */
  blob(file: RepoFile): string {
    return join(this.#folder, "blobs", etagOf(file));
  }

  /** Where the blob of a file grows. */
  incomplete(file: RepoFile): string {
    return `${this.blob(file)}.incomplete`;
  }

  /** What has to be locked to write the blob of a file. */
  lock(file: RepoFile): string {
    return join(this.#locks, `${etagOf(file)}.lock`);
  }

  /** The folder with all files of a commit at their paths. */
  snapshot(commit: string): string {
    return join(this.#folder, "snapshots", commit);
  }

  /** Path of a file in its snapshot, if it is there with all its bytes. */
  async whole(commit: string, file: RepoFile): Promise<string | undefined> {
    const path = join(this.snapshot(commit), file.path);
    return await sizeOf(path) === file.size ? path : undefined;
  }

  /** Whether the blob of a file is there with all its bytes. */
  async hasBlob(file: RepoFile): Promise<boolean> {
    return await sizeOf(this.blob(file)) === file.size;
  }

  /** Shows the blob of a file in a snapshot. */
  async link(commit: string, file: RepoFile): Promise<void> {
    const path = join(this.snapshot(commit), file.path);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.remove(path).catch(unlessMissing);
    await Deno.symlink(relative(dirname(path), this.blob(file)), path);
  }

  /** Remembers which commit a revision names. */
  async setRef(revision: string, commit: string): Promise<void> {
    if (revision === commit || await this.#ref(revision) === commit) return;
    await writeAtomic(join(this.#folder, "refs", revision), commit);
  }

  /** The commit that a revision named last, if a snapshot of it is there. */
  async commitOf(revision: string): Promise<string | undefined> {
    const commit = isCommit(revision) ? revision : await this.#ref(revision);
    if (commit === undefined || !isCommit(commit)) return undefined;
    const isThere = await Deno.stat(this.snapshot(commit)).then((info) => info.isDirectory, absent);
    return isThere ? commit : undefined;
  }

  /** A commit with those of its files that are there. */
  async open(ref: RepoRef, commit: string): Promise<Repo> {
    const files = await Array.fromAsync(filesIn(this.snapshot(commit), ""));
    return { ref, commit, files, isFromCache: true };
  }

  async #ref(revision: string): Promise<string | undefined> {
    const text = await Deno.readTextFile(join(this.#folder, "refs", revision)).catch(absent);
    return text?.trim();
  }
}

async function* filesIn(folder: string, prefix: string): AsyncGenerator<RepoFile> {
  for (const { name, isDirectory } of await sortedEntries(folder)) {
    const path = join(folder, name);
    const inside = prefix + name;
    if (isDirectory) yield* filesIn(path, `${inside}/`);
    else {
      const size = await sizeOf(path);
      if (size !== undefined && isSafePath(inside)) yield await cachedFile(path, inside, size);
    }
  }
}

async function sortedEntries(folder: string): Promise<Deno.DirEntry[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** What the listing said of a file, from the name of its blob. */
async function cachedFile(path: string, inside: string, size: number): Promise<RepoFile> {
  const target = await Deno.readLink(path).catch(() => "");
  const etag = basename(target);
  if (/^[0-9a-f]{64}$/.test(etag)) {
    return { path: inside, size, sha256: etag, oid: pointerId(etag, size) };
  }
  const oid = /^[0-9a-f]{40}$/.test(etag) ? etag : await gitBlobId(path, size);
  return { path: inside, size, oid };
}

/** git's id of the text that stands for an LFS file in the repository. */
function pointerId(sha256: string, size: number): string {
  const pointer =
    `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
  return gitHash(pointer.length).update(pointer).digest("hex");
}

/** git's id of a file that lies in the snapshot itself, where a system knows no links. */
async function gitBlobId(path: string, size: number): Promise<string> {
  const hash = gitHash(size);
  for await (const chunk of readChunks(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** The hash that gives git's id of a blob, once its bytes have gone through. */
export function gitHash(size: number) {
  return createHash("sha1").update(`blob ${size}\0`);
}

/** Size of a file, through links; `undefined` if there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const info = await Deno.stat(path).catch(absent);
  return info?.isFile ? info.size : undefined;
}

function absent(error: unknown): undefined {
  const reasons = [Deno.errors.NotFound, Deno.errors.NotADirectory];
  if (!reasons.some((reason) => error instanceof reason)) throw error;
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
