/** Repositories of a Hugging Face hub: how they are named, and what one commit holds. */

import { InputError } from "../../formats/input_error.ts";

/** What a repository holds. */
export type RepoKind = "model" | "dataset";

/** A repository at a revision. */
export interface RepoRef {
  readonly kind: RepoKind;
  /** `owner/name`. */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** A file of a commit. */
export interface RepoFile {
  /** Parts divided by `/`; none is empty, `.` or `..`. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256 of the content, in hexadecimal, of files in LFS storage. */
  readonly sha256?: string;
  /** git's id of the blob, in hexadecimal: of the content, or of the pointer to LFS storage. */
  readonly oid: string;
}

/** A commit and its files. */
export interface Repo {
  readonly ref: RepoRef;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly files: readonly RepoFile[];
  /** Whether the hub was not asked, and `files` are only those in the cache. */
  readonly isFromCache: boolean;
}

/** Branch that is meant when no revision is named. */
export const DEFAULT_REVISION = "main";

const COMMIT = /^[0-9a-f]{40}$/;
/** The hub's own rule: letters, digits, `_`, `-`, `.`; the last two not at the ends. */
const NAME = /^\w(?:[\w.-]{0,94}\w)?$/;

/**
 * The repository that `owner/name` or `owner/name@revision` names.
 *
 * @returns `undefined` for anything else: paths, single words
 */
export function parseRepoRef(text: string, kind: RepoKind): RepoRef | undefined {
  const at = text.indexOf("@");
  const id = at < 0 ? text : text.slice(0, at);
  const revision = at < 0 ? DEFAULT_REVISION : text.slice(at + 1);
  return isRepoId(id) && isRevision(revision) ? { kind, id, revision } : undefined;
}

function isRepoId(id: string): boolean {
  const parts = id.split("/");
  return parts.length === 2 && parts.every((part) => NAME.test(part)) && !/--|\.\.|\.git$/.test(id);
}

/** Whether git allows the name, and a file can have it. */
function isRevision(revision: string): boolean {
  return isSafePath(revision) && revision.length <= 255 && !/[\s~^:?*[@]|\.\.|^-/.test(revision);
}

/** Whether a text is a commit: 40 hexadecimal digits. */
export function isCommit(text: string): boolean {
  return COMMIT.test(text);
}

/** Whether a path leads to a place inside the folder that it starts from, on every system. */
export function isSafePath(path: string): boolean {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  if (/[\\\x00-\x1f\x7f]|^[a-zA-Z]:/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** @throws InputError when no repository can have this name or revision */
export function checkRepoRef(ref: RepoRef): void {
  if (isRepoId(ref.id) && isRevision(ref.revision)) return;
  throw new InputError(
    `${JSON.stringify(`${ref.id}@${ref.revision}`)} names no repository of a hub, expected ` +
      `owner/name or owner/name@revision; check the name.`,
  );
}

/** The repository in a sentence. */
export function describeRepo({ kind, id, revision }: RepoRef): string {
  const noun = kind === "model" ? "model" : "data set";
  return `the ${noun} ${id}` + (revision === DEFAULT_REVISION ? "" : ` at ${revision}`);
}

/**
 * A file of a repository.
 *
 * @throws InputError when it has none at `path`
 */
export function fileOf(repo: Repo, path: string): RepoFile {
  const file = repo.files.find((file) => file.path === path);
  if (file !== undefined) return file;
  const there = repo.files.slice(0, 8).map(({ path }) => path).join(", ") || "nothing";
  const found = `found ${there}${repo.files.length > 8 ? " and others" : ""}`;
  throw new InputError(
    repo.isFromCache
      ? `The cache has no file ${JSON.stringify(path)} of ${describeRepo(repo.ref)}, ${found}; ` +
        `check the name, or fetch it once with the hub in reach and HF_HUB_OFFLINE not set.`
      : `There is no file ${JSON.stringify(path)} in ${describeRepo(repo.ref)}, ${found}; check ` +
        `the name and the revision.`,
  );
}

/** Name of the content: what the hub sends as ETag, and what the cache calls the blob. */
export function etagOf({ sha256, oid }: RepoFile): string {
  return sha256 ?? oid;
}
