/** The commit that a revision names, and its files, as a hub lists them. */

import { listFiles } from "@huggingface/hub";
import { InputError } from "../../formats/input_error.ts";
import { fetchAnswer, type HubConnection } from "./http.ts";
import {
  describeRepo,
  isCommit,
  isSafePath,
  type Repo,
  type RepoFile,
  type RepoRef,
} from "./repo.ts";

/** Files of one commit; the largest repositories of the hub are advised to stay below 100,000. */
const MOST_FILES = 1_000_000;
const MOST_PAGES = 1_000;

/**
 * Resolves the revision and lists all files.
 *
 * @throws InputError when there is no such repository, access or revision, when the hub cannot be
 * reached, or does not answer as a hub does
 */
export async function listRepo(hub: HubConnection, ref: RepoRef): Promise<Repo> {
  const commit = await resolveCommit(hub, ref);
  const files: RepoFile[] = [];
  for await (const entry of entriesAt(hub, ref, commit)) {
    if ((entry as { type?: unknown } | null)?.type !== "file") continue;
    files.push(fileEntry(entry, hub, ref));
    if (files.length > MOST_FILES) throw notAHub(hub, ref, `more than ${MOST_FILES} files`);
  }
  return { ref, commit, files, isFromCache: false };
}

/** Address of a file of a commit. */
export function fileUrl({ endpoint }: HubConnection, { ref, commit }: Repo, path: string): string {
  const prefix = ref.kind === "dataset" ? "datasets/" : "";
  const inside = path.split("/").map(encodeURIComponent).join("/");
  return `${endpoint}/${prefix}${ref.id}/resolve/${commit}/${inside}`;
}

async function resolveCommit(hub: HubConnection, ref: RepoRef): Promise<string> {
  const revision = encodeURIComponent(ref.revision);
  const url = `${hub.endpoint}/api/${ref.kind}s/${ref.id}/revision/${revision}`;
  const answer = await (await fetchAnswer(hub, url, ref)).text();
  const sha = parsedSha(answer);
  if (typeof sha === "string" && isCommit(sha)) return sha;
  throw notAHub(hub, ref, "no commit of 40 hexadecimal digits");
}

function parsedSha(answer: string): unknown {
  try {
    return (JSON.parse(answer) as { sha?: unknown } | null)?.sha;
  } catch {
    return undefined;
  }
}

/** The entries of all pages: the library follows them, our requests are patient and know the token. */
async function* entriesAt(
  hub: HubConnection,
  ref: RepoRef,
  commit: string,
): AsyncGenerator<unknown> {
  let pages = 0;
  const fetchPage = (url: RequestInfo | URL) => {
    if (++pages > MOST_PAGES) throw notAHub(hub, ref, `more than ${MOST_PAGES} pages`);
    return fetchAnswer(hub, String(url), ref);
  };
  try {
    yield* listFiles({
      repo: { type: ref.kind, name: ref.id },
      revision: commit,
      recursive: true,
      hubUrl: hub.endpoint,
      fetch: fetchPage,
    });
  } catch (error) {
    // what the library stumbles over when the answer is not a list in JSON
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw notAHub(hub, ref, "no list of files");
    }
    throw error;
  }
}

/** Checked in full: the path and the ids become names of files in the cache. */
function fileEntry(entry: unknown, hub: HubConnection, ref: RepoRef): RepoFile {
  const { path, oid, size, lfs } = entry as Record<string, unknown>;
  const stored = (lfs ?? undefined) as Record<string, unknown> | undefined;
  if (typeof path !== "string" || !isSafePath(path)) {
    const named = typeof path === "string" ? JSON.stringify(path.slice(0, 200)) : typeof path;
    throw notAHub(hub, ref, `a file named ${named}`);
  }
  const length = stored?.size ?? size;
  if (
    !isHex(oid, 40) || typeof length !== "number" || !(Number.isSafeInteger(length) && length >= 0)
  ) {
    throw notAHub(hub, ref, `no size and git id of ${path}`);
  }
  if (stored === undefined) return { path, size: length, oid };
  const sha256 = stored.oid;
  if (!isHex(sha256, 64)) throw notAHub(hub, ref, `no SHA-256 of ${path}`);
  return { path, size: length, oid, sha256 };
}

function isHex(value: unknown, digits: number): value is string {
  return typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value);
}

function notAHub({ endpoint }: HubConnection, ref: RepoRef, found: string): InputError {
  return new InputError(
    `${endpoint} does not answer as a hub does when asked for ${describeRepo(ref)}: it lists ` +
      `${found}; check HF_ENDPOINT and the repository.`,
  );
}
