/** Contents that arrive: continued where they broke off, checked byte by byte, whole or not there. */

import { createHash, type Hash } from "node:crypto";
import { dirname } from "node:path";
import { InputError } from "../../formats/input_error.ts";
import { readChunks } from "../files.ts";
import { type CachedRepo, gitHash, sizeOf } from "./cache.ts";
import { fetchPart, type HubConnection } from "./http.ts";
import { fileUrl } from "./listing.ts";
import { describeRepo, etagOf, type Repo, type RepoFile } from "./repo.ts";

/** Called with the bytes that are there, and those of the whole file. */
export type BlobProgress = (done: number, total: number) => void;

/**
 * Fetches the blob of a file into the cache, from where an earlier attempt, of this or another
 * process or of Python, broke off. The caller holds its lock.
 *
 * @throws InputError when it does not arrive, or twice with other bytes than its name promises
 */
export async function fetchBlob(
  hub: HubConnection,
  cache: CachedRepo,
  repo: Repo,
  file: RepoFile,
  progress: BlobProgress,
): Promise<void> {
  const part = cache.incomplete(file);
  await Deno.mkdir(dirname(part), { recursive: true });
  for (let attempt = 1; attempt <= 2; attempt++) {
    if (await complete(hub, repo, file, part, progress) === etagOf(file)) {
      await Deno.rename(part, cache.blob(file));
      return;
    }
    await Deno.remove(part);
  }
  throw new InputError(
    `${file.path} of ${describeRepo(repo.ref)} arrived twice from ${hub.endpoint} with other ` +
      `bytes than its ${file.sha256 ? "SHA-256" : "git id"} ${etagOf(file)} says; try again ` +
      `later or check HF_ENDPOINT.`,
  );
}

/** Adds to a partial file what is missing, and returns the hash of the whole. */
async function complete(
  hub: HubConnection,
  repo: Repo,
  { path, size, sha256 }: RepoFile,
  part: string,
  progress: BlobProgress,
): Promise<string> {
  const hash = sha256 === undefined ? gitHash(size) : createHash("sha256");
  let done = await hashPresent(part, size, hash);
  using out = await Deno.open(part, { write: true, create: true, append: true });
  const missing = { from: done, to: size, size };
  for await (const chunk of fetchPart(hub, fileUrl(hub, repo, path), repo.ref, path, missing)) {
    hash.update(chunk);
    for (let at = 0; at < chunk.length;) at += await out.write(chunk.subarray(at));
    done += chunk.length;
    progress(done, size);
  }
  await out.syncData();
  return hash.digest("hex");
}

/** Hashes what is there already, and says how many bytes that is; more than `size` are discarded. */
async function hashPresent(part: string, size: number, hash: Hash): Promise<number> {
  const present = await sizeOf(part);
  if (present === undefined) return 0;
  if (present > size) {
    await Deno.remove(part);
    return 0;
  }
  for await (const chunk of readChunks(part)) hash.update(chunk);
  return present;
}
