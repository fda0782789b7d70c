/**
 * Data sets of a hub: their files are read by ranges, never fetched whole, and the texts taken from
 * them are kept, so that a second run needs no network.
 */

import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";
import { type DataSetPart, findDataFiles, hasDataFiles } from "./data_files.ts";
import type { CorpusSpec } from "./dataset_configs.ts";
import { readText } from "./files.ts";
import { declaredConfigs } from "./front_matter.ts";
import type { Hub } from "./hub/hub.ts";
import { DEFAULT_REVISION, describeRepo, fileOf, type Repo, type RepoRef } from "./hub/repo.ts";
import { spellingsOf } from "./languages.ts";
import { README } from "./local_corpora.ts";
import type { PaperDataset } from "./paper_datasets.ts";
import type { RowFile } from "./row_files.ts";
import { keep, recall } from "./rows_cache.ts";
import { readTexts, type TextRows, type TextsQuery } from "./texts.ts";

/** Branch where the hub keeps its own conversion of a data set that only a program could load. */
const CONVERTED = "refs/convert/parquet";

/** Texts, and the files they are from. */
export interface HubTexts extends TextRows {
  readonly commit: string;
  /** Paths and git's ids of their blobs. */
  readonly files: readonly { readonly path: string; readonly oid: string }[];
}

const Files = z.array(z.object({ path: z.string(), oid: z.string() }));
const Texts = z.object({
  texts: z.array(z.string().nullable()),
  size: z.number().int().nonnegative().optional(),
});

/**
 * The texts of a data set on the hub.
 *
 * @param cache folder of the texts that are kept; none are, if not given
 * @throws InputError when there is no such data set, configuration, split or column, no access, or
 *   no network and nothing kept
 */
export async function hubTexts(
  hub: Hub,
  ref: RepoRef,
  spec: CorpusSpec,
  query: TextsQuery,
  { paper, cache }: { paper?: PaperDataset; cache?: string },
): Promise<HubTexts> {
  const repo = await hub.open(ref);
  const filesKey = {
    id: ref.id,
    commit: repo.commit,
    lang: spec.lang,
    config: spec.config ?? null,
    split: spec.split ?? "train",
  };
  const part = {
    configs: spec.config === undefined ? spellingsOf(spec.lang) : [spec.config],
    split: spec.split ?? "train",
    labelled: paper?.label !== undefined,
  };
  const { from, files } = await findFiles(hub, repo, part).catch(async (error) => {
    // without network a listing has only what was fetched: the files found before are right
    const known = cache && error instanceof InputError && await recall(cache, filesKey, Files);
    if (!known) throw error;
    return { from: repo, files: known };
  });
  if (cache) await keep(cache, filesKey, files);
  const textsKey = {
    id: ref.id,
    files,
    prompt: query.prompt.template,
    label: query.label ?? null,
    start: query.start,
    end: String(query.end),
  };
  const kept = cache && await recall(cache, textsKey, Texts);
  if (kept) return { ...kept, commit: repo.commit, files };
  const texts = await readTexts(
    files.map(({ path }) => hubFile(hub, from, path)),
    query,
  );
  if (cache) await keep(cache, textsKey, texts);
  return { ...texts, commit: repo.commit, files };
}

/**
 * The files of a data set on the hub that hold a part of it.
 *
 * @throws InputError when there is no such data set, configuration or split, no access, or no network
 */
export async function hubRowFiles(
  hub: Hub,
  ref: RepoRef,
  part: DataSetPart,
): Promise<Pick<HubTexts, "commit" | "files"> & { readonly rows: RowFile[] }> {
  const repo = await hub.open(ref);
  const { from, files } = await findFiles(hub, repo, part);
  const rows = files.map(({ path }) => hubFile(hub, from, path));
  return { commit: repo.commit, files, rows };
}

/** Files of the part, and the commit that has them. */
async function findFiles(
  hub: Hub,
  repo: Repo,
  part: DataSetPart,
): Promise<{ from: Repo; files: HubTexts["files"] }> {
  const readme = await readmeOf(hub, repo);
  const listed = repo.files.map(({ path }) => path);
  const isProgram = !hasDataFiles(listed) && repo.ref.revision === DEFAULT_REVISION &&
    listed.some((path) => path.endsWith(".py"));
  const from = isProgram ? await hub.open({ ...repo.ref, revision: CONVERTED }) : repo;
  const found = findDataFiles({
    paths: from.files.map(({ path }) => path),
    declared: isProgram ? [] : declaredConfigs(readme),
    ...part,
    formats: "several",
    where: sentenceStart(describeRepo(repo.ref)),
  });
  const files = found.map((path) => ({ path, oid: fileOf(from, path).oid }));
  return { from, files };
}

/** Also makes the cache remember which commit the revision names. */
async function readmeOf(hub: Hub, repo: Repo): Promise<string> {
  const known = [README, ".gitattributes"].find((name) =>
    repo.files.some(({ path }) => path === name)
  );
  if (known === undefined) return "";
  const folder = await hub.download(repo, [known]);
  return known === README ? await readText(join(folder, README)) : "";
}

function hubFile(hub: Hub, repo: Repo, path: string): RowFile {
  const { size } = fileOf(repo, path);
  return {
    where: `${repo.ref.id}/${path}`,
    open: () =>
      Promise.resolve({ size, read: (begin, end) => hub.readRange(repo, path, begin, end) }),
  };
}

function sentenceStart(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
