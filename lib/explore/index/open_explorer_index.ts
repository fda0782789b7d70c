/** The index of a folder of results: found, or built at the first look. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { remark } from "../../cli/output.ts";
import { claimFolder } from "../../data/folder_claim.ts";
import { isFile } from "../../data/file_tree.ts";
import { codeHash } from "../../data/manifest.ts";
import { InputError } from "../../formats/input_error.ts";
import type { RunOptions } from "../../session/options.ts";
import { openCorpora, type Session } from "../../session/session.ts";
import { buildIndex, writeMeta } from "./build_index.ts";
import { type LatentInterpretations, latentInterpretations } from "./interpretations.ts";
import { readQValues, readResultCounts, type Results } from "./results.ts";
import { createIndex, finishIndex, INDEX_FILE, openIndex } from "./schema.ts";

/** Code that decides what an index holds. */
const ROOMS = [
  ...["kernels", "lib/gpu", "lib/nn", "lib/sae", "lib/lape"],
  ...["lib/subject", "lib/formats", "lib/explore/index"],
];

/**
 * Opens the index of results; builds it where there is none, or one of other results, explanations or
 * code. An index is whole or not there.
 *
 * @param session of the model and SAEs that the results are of
 * @throws InputError where the model, the SAEs or the texts are not those of the results any more
 */
export async function openExplorerIndex(
  results: Results,
  session: Session,
  options: RunOptions,
): Promise<DatabaseSync> {
  const interpretations = await latentInterpretations(join(results.folder, "interpret"));
  const identity = JSON.stringify({
    results: results.sha256,
    lape: results.features.sha256,
    interpretations: interpretations.sha256,
    code: await codeHash(ROOMS),
  });
  checkSubject(results, session); // also where the index is there: the model runs for visitors
  const path = join(results.folder, INDEX_FILE);
  const there = await indexOf(path, identity);
  if (there) return there;
  remark(`Building ${path}, once for these results.`);
  await build(path, identity, { results, session, interpretations, options });
  return openIndex(path);
}

/** The index at a path, if it is of this identity. */
async function indexOf(path: string, identity: string): Promise<DatabaseSync | undefined> {
  if (!await isFile(path)) return undefined;
  let database: DatabaseSync | undefined;
  try {
    database = openIndex(path);
    const row = database.prepare("SELECT value FROM meta WHERE name = 'identity'").get();
    if (row && JSON.parse(String(row.value)) === identity) return database;
  } catch {
    // not a database, or one of another program: it is built anew
  }
  database?.close();
}

async function build(
  path: string,
  identity: string,
  { results, session, interpretations, options }: {
    readonly results: Results;
    readonly session: Session;
    readonly interpretations: LatentInterpretations;
    readonly options: RunOptions;
  },
): Promise<void> {
  using _claim = await claimFolder(results.folder);
  const corpora = await openCorpora(results.options, results.options);
  checkCorpora(results, corpora);
  const counts = await readResultCounts(results);
  const qValues = await readQValues(results);
  const part = `${path}.part`;
  await rm(part, { force: true });
  try {
    const database = createIndex(part);
    try {
      const sources = { results, counts, corpora, session, interpretations, qValues, options };
      await buildIndex(database, sources);
      writeMeta(database, "identity", identity);
      finishIndex(database);
    } finally {
      database.close();
    }
    await Deno.rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
}

function checkSubject({ folder, manifest }: Results, { subject: { hashes } }: Session): void {
  const same = sameEntries(manifest.model.sha256, hashes.model) &&
    sameEntries(manifest.saes.sha256, hashes.saes);
  if (same) return;
  throw new InputError(
    `The model or SAEs are not those that ${folder} was made with: run "babelscope identify" again, or ` +
      `put their files back.`,
  );
}

function checkCorpora(
  { folder, manifest }: Results,
  corpora: readonly { readonly sha256: string }[],
): void {
  const counted = new Set(manifest.corpora.flatMap(({ sha256 }) => sha256));
  if (corpora.every(({ sha256 }) => counted.has(sha256))) return;
  throw new InputError(
    `The texts are not those that ${folder} was made with: run "babelscope identify" again, or put them ` +
      `back.`,
  );
}

function sameEntries(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}
