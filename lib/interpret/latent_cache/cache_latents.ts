/**
 * One pass over a token matrix that keeps what latents do on it (spec train-and-interpret B.2, E.5):
 *
 *     latents/tokens.safetensors                      tokens int64 [rows, L]
 *     latents/<hookpoint>/<first>_<last>.safetensors  locations, activations
 *     latents/<hookpoint>/config.json                 written when all files are
 *     log/hookpoint_firing_counts.safetensors, .json
 *
 * Activations go to disk as they come; a run that was stopped goes on from its last save and ends with
 * the same bytes.
 */
import { createHash } from "node:crypto";
import type { TokenRows } from "../../data/token_rows.ts";
import { InputError } from "../../formats/input_error.ts";
import type { Target } from "../../sae/target.ts";
import type { Reader } from "../activations.ts";
import { readOwnConfig } from "./cache_config.ts";
import type { CacheOptions, CacheProgress, CacheSummary } from "./cache_options.ts";
import { CachePass, type CacheWork, LEAST, removeUnfinished } from "./cache_pass.ts";
import { cachedTargets } from "./cached_targets.ts";

/** Positions are kept in 16 bits. */
const MOST_POSITIONS = 2 ** 16;

/**
 * Caches the activations of latents; does nothing where an earlier run did it.
 *
 * @param openModel called when there is something to compute
 * @param targets hookpoints with SAEs, in the order of the pass
 * @param rows the token matrix
 * @param show told how far the pass is
 * @throws InputError when files cannot be read or written
 */
export async function cacheLatents(
  openModel: () => Reader | Promise<Reader>,
  targets: readonly Target[],
  rows: TokenRows,
  options: CacheOptions,
  show: (progress: CacheProgress) => void = () => {},
): Promise<CacheSummary> {
  checkRows(rows);
  const work = workOf(targets, rows, options);
  const summary = { rows: rows.rows, tokens: rows.rows * rows.contextLength };
  const known = await entriesBefore(work);
  if (known !== undefined) {
    await removeUnfinished(work);
    return { ...summary, entries: known, known: true };
  }
  using pass = await CachePass.open(work);
  if (pass.rowsDone < rows.rows) await pass.run(await openModel(), show);
  return { ...summary, entries: await pass.finish(), known: false };
}

/** True when {@linkcode cacheLatents} would find everything done. */
export async function isCached(
  targets: readonly Target[],
  rows: TokenRows,
  options: CacheOptions,
): Promise<boolean> {
  return await entriesBefore(workOf(targets, rows, options)) !== undefined;
}

function workOf(targets: readonly Target[], rows: TokenRows, options: CacheOptions): CacheWork {
  const cached = cachedTargets(targets, options);
  return { targets: cached, rows, identity: identityOf(rows, options), options };
}

function checkRows({ rows, contextLength }: TokenRows): void {
  if (rows === 0) {
    throw new InputError(
      `The token matrix has no rows; give more texts, or lower the tokens of a row.`,
    );
  }
  if (contextLength <= MOST_POSITIONS) return;
  throw new InputError(
    `Rows of ${contextLength} tokens are too long to cache, expected at most ${MOST_POSITIONS}; cut ` +
      `them anew.`,
  );
}

/** SHA-256 of all that decides the activations, but for which latents are kept. */
function identityOf(
  { rows, contextLength, parts, sha256 }: TokenRows,
  { identity, compat, nSplits }: CacheOptions,
): string {
  const tokens = { rows, contextLength, parts, sha256 };
  const about = { identity, tokens, compat: compat ?? null, nSplits, least: LEAST };
  return createHash("sha256").update(JSON.stringify(about)).digest("hex");
}

/** Entries that an earlier run kept, if it kept all that is wanted. */
async function entriesBefore(
  { targets, identity, options: { folder } }: CacheWork,
): Promise<number | undefined> {
  let entries = 0;
  for (const { name, wanted } of targets) {
    const own = await readOwnConfig(folder, name);
    if (own?.identity !== identity || !holds(own.latents, wanted)) return undefined;
    entries += own.entries;
  }
  return entries;
}

function holds(
  latents: readonly number[] | null,
  wanted: readonly number[] | undefined,
): boolean {
  if (latents === null) return true;
  const kept = new Set(latents);
  return wanted?.every((latent) => kept.has(latent)) ?? false;
}
