/**
 * Hugging Face hubs: repositories of models and data sets, through the cache that Python's
 * huggingface_hub keeps. Nothing is fetched but what is asked for, and nothing twice.
 */

import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../formats/input_error.ts";
import { fetchBlob } from "./blob.ts";
import { CachedRepo, sizeOf } from "./cache.ts";
import { checkSpace, onDisk } from "./disk.ts";
import { fetchPart, type HubConnection } from "./http.ts";
import { fileUrl, listRepo } from "./listing.ts";
import { takeLock } from "../file_lock.ts";
import { OutOfPatience, PATIENCE, type Patience } from "./patience.ts";
import {
  checkRepoRef,
  describeRepo,
  fileOf,
  type Repo,
  type RepoFile,
  type RepoRef,
} from "./repo.ts";

/** Called for every piece that arrives: bytes that are there, of those of the whole file. */
export interface HubProgress {
  (path: string, done: number, total: number): void;
}

/** Which hub, as whom, and where its files are kept. */
export interface HubOptions {
  /** `https://huggingface.co`, or what stands in its place. */
  readonly endpoint: string;
  /** Shown to the endpoint alone, and in no message. */
  readonly token?: string;
  /** The folder of all repositories: Python's `HF_HUB_CACHE`. */
  readonly cache: string;
  /** Whether to make no request at all. */
  readonly offline: boolean;
  readonly progress?: HubProgress;
  /** How often and after what waits to try again; six attempts in 15.5 seconds if not given. */
  readonly patience?: Patience;
  /** Milliseconds of silence after which a connection counts as broken; 30,000 if not given. */
  readonly silence?: number;
}

/**
 * The options that Python's huggingface_hub would use here: HF_ENDPOINT, HF_TOKEN or the token file
 * (HF_TOKEN_PATH, $HF_HOME/token), HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_HUB_OFFLINE.
 *
 * @throws InputError when there is a token file that cannot be read
 */
export function hubOptionsFromEnvironment(): HubOptions {
  const caches = folderFrom("XDG_CACHE_HOME") ?? join(homedir(), ".cache");
  const home = folderFrom("HF_HOME") ?? join(caches, "huggingface");
  return {
    endpoint: variable("HF_ENDPOINT") ?? "https://huggingface.co",
    token: variable("HF_TOKEN") ?? tokenIn(folderFrom("HF_TOKEN_PATH") ?? join(home, "token")),
    cache: folderFrom("HF_HUB_CACHE") ?? join(home, "hub"),
    offline: /^(1|on|yes|true)$/i.test(variable("HF_HUB_OFFLINE") ?? ""),
  };
}

function variable(name: string): string | undefined {
  return Deno.env.get(name)?.trim() || undefined;
}

/** A path of the environment, where `~` is the home folder. */
function folderFrom(name: string): string | undefined {
  return variable(name)?.replace(/^~(?=\/|$)/, () => homedir());
}

function tokenIn(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim() || undefined;
  } catch (error) {
    // no one has logged in
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(
      `Cannot read the token file ${path}; make it readable, or set HF_TOKEN or HF_TOKEN_PATH.`,
    );
  }
}

/** A hub and the cache of its files. */
export class Hub {
  readonly #connection: HubConnection;
  readonly #cache: string;
  readonly #offline: boolean;
  readonly #progress: HubProgress;

  /** @throws InputError when the endpoint is no address of the web, or the token no token */
  constructor({ endpoint, token, cache, offline, progress, patience, silence }: HubOptions) {
    this.#connection = {
      endpoint: checkedEndpoint(endpoint),
      token: checkedToken(token),
      patience: patience ?? PATIENCE,
      silence: silence ?? 30_000,
    };
    this.#cache = cache;
    this.#offline = offline;
    this.#progress = progress ?? (() => {});
  }

  /**
   * The commit that the revision names, and its files: all of them, as the hub lists them. Offline,
   * or when the hub gives no answer or is in trouble, those that the cache has of the commit that
   * the revision named last.
   *
   * @throws InputError when there is no such repository or revision, or no access to it; when there
   * is neither an answer of the hub nor anything in the cache
   */
  async open(ref: RepoRef): Promise<Repo> {
    checkRepoRef(ref);
    const cache = new CachedRepo(this.#cache, ref);
    const commit = await onDisk(this.#cache, () => cache.commitOf(ref.revision));
    const fromCache = commit && (() => onDisk(this.#cache, () => cache.open(ref, commit)));
    if (this.#offline) {
      if (fromCache) return await fromCache();
      throw this.#notCached(describeRepo(ref));
    }
    try {
      return await listRepo(fromCache ? hasty(this.#connection) : this.#connection, ref);
    } catch (error) {
      if (error instanceof OutOfPatience && fromCache) return await fromCache();
      throw error;
    }
  }

  /**
   * Makes sure that files are in the cache, each checked against its hash.
   *
   * @returns the folder that has them at their paths
   * @throws InputError when there is no such file, or it cannot be fetched, checked or kept
   */
  async download(repo: Repo, paths: readonly string[]): Promise<string> {
    const cache = new CachedRepo(this.#cache, repo.ref);
    const files = [...new Set(paths)].map((path) => fileOf(repo, path));
    return await onDisk(this.#cache, async () => {
      const missing: RepoFile[] = [];
      for (const file of files) {
        if (await cache.whole(repo.commit, file) === undefined) missing.push(file);
      }
      await this.#checkSpace(cache, missing);
      for (const file of missing) await this.#keep(cache, repo, file);
      await cache.setRef(repo.ref.revision, repo.commit);
      return cache.snapshot(repo.commit);
    });
  }

  /**
   * Path of a file in the cache.
   *
   * @returns `undefined` when it is not there, or not whole
   * @throws InputError when the repository has no such file
   */
  cached(repo: Repo, path: string): Promise<string | undefined> {
    const cache = new CachedRepo(this.#cache, repo.ref);
    return onDisk(this.#cache, () => cache.whole(repo.commit, fileOf(repo, path)));
  }

  /**
   * Bytes `start` to `end`, half open, of a file: from the cache if it is there, else from the hub,
   * and then they are not kept. A part cannot be checked against the hash of the whole.
   *
   * @throws RangeError when the file has no such bytes
   * @throws InputError when there is no such file, or it cannot be read
   */
  async readRange(
    repo: Repo,
    path: string,
    start: number,
    end: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { size } = fileOf(repo, path);
    const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start &&
      start <= end && end <= size;
    if (!isRange) throw new RangeError(`bytes ${start} to ${end} are not among ${size} of ${path}`);
    const local = await this.cached(repo, path);
    if (local !== undefined) return onDisk(this.#cache, () => readPart(local, start, end));
    if (this.#offline) throw this.#notCached(`${path} of ${describeRepo(repo.ref)}`);
    const url = fileUrl(this.#connection, repo, path);
    const part = { from: start, to: end, size };
    const bytes = new Uint8Array(end - start);
    let at = 0;
    for await (const chunk of fetchPart(this.#connection, url, repo.ref, path, part)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** Fetches one file unless its blob is there, under another commit or since a moment ago. */
  async #keep(cache: CachedRepo, repo: Repo, file: RepoFile): Promise<void> {
    using _lock = await takeLock(cache.lock(file));
    if (await cache.whole(repo.commit, file) !== undefined) return;
    if (!(await cache.hasBlob(file))) {
      if (this.#offline) throw this.#notCached(`${file.path} of ${describeRepo(repo.ref)}`);
      const progress = (done: number, total: number) => this.#progress(file.path, done, total);
      await fetchBlob(this.#connection, cache, repo, file, progress);
    }
    await cache.link(repo.commit, file);
  }

  /** Before hours of download, not after: whether the disk has room for what is still to come. */
  async #checkSpace(cache: CachedRepo, files: readonly RepoFile[]): Promise<void> {
    let needed = 0;
    for (const file of files) {
      const present = await sizeOf(cache.blob(file)) ?? await sizeOf(cache.incomplete(file)) ?? 0;
      needed += Math.max(file.size - present, 0);
    }
    await checkSpace(this.#cache, needed);
  }

  #notCached(what: string): InputError {
    return new InputError(
      `HF_HUB_OFFLINE is set and ${what} is not in the cache ${this.#cache}; fetch it once ` +
        `without HF_HUB_OFFLINE, or set HF_HUB_CACHE to the cache that has it.`,
    );
  }
}

/** With something to fall back on, one further attempt is enough. */
function hasty(connection: HubConnection): HubConnection {
  const { patience } = connection;
  return { ...connection, patience: { ...patience, delays: patience.delays.slice(0, 1) } };
}

function checkedEndpoint(endpoint: string): string {
  const url = URL.parse(endpoint);
  const isWeb = url !== null && ["http:", "https:"].includes(url.protocol) &&
    !url.username && !url.password && !url.search && !url.hash;
  if (isWeb) return endpoint.replace(/\/+$/, "");
  throw new InputError(
    `HF_ENDPOINT is no address of a hub, expected one such as https://huggingface.co; correct it ` +
      `or leave it out.`,
  );
}

/** The token as it is: whatever cannot stand in a header is no token, and is not printed. */
function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new InputError(
    `The token for the hub holds spaces or characters that no token has; copy it again into ` +
      `HF_TOKEN or the token file.`,
  );
}

async function readPart(
  path: string,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length;) {
    const n = await file.read(bytes.subarray(at));
    if (n === null) throw new InputError(`${path} ends before byte ${end}; remove it.`);
    at += n;
  }
  return bytes;
}
