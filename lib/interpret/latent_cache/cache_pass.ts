/** The pass over a token matrix, and what is on disk of it. */
import { join } from "node:path";
import { Checkpoint } from "../../data/checkpoint.ts";
import { listFolder } from "../../data/files.ts";
import { isFile } from "../../data/file_tree.ts";
import type { TokenRows } from "../../data/token_rows.ts";
import { floatToBf16Bits } from "../../formats/dtype.ts";
import { readActivations, type Reader, type SparseActivations } from "../activations.ts";
import { configPath, hookpointFolder, writeConfig } from "./cache_config.ts";
import type { CacheOptions, CacheProgress } from "./cache_options.ts";
import type { CachedTarget } from "./cached_targets.ts";
import { writeTokens } from "./cached_tokens.ts";
import { EntryFile } from "./entry_file.ts";
import { type FiringCounts, writeFiringCounts } from "./firing_counts.ts";
import { type LatentRange, rangeOfName, splitName } from "./splits.ts";

/** Activations are kept above this, as published. */
export const LEAST = 1e-5;
/** Tokens of which the ids are in memory at a time. */
const TOKENS_AT_A_TIME = 2 ** 22;
/** Bytes that wait to be saved at most. */
const PENDING_BYTES = 2 ** 26;

/** What is on disk when a run is stopped. */
interface Saved {
  readonly rows: number;
  /** Bytes of each file, hookpoint by hookpoint. */
  readonly bytes: readonly number[];
  /** Tokens on which a latent fires, but too weakly to be kept: [hookpoint, latent, tokens]. */
  readonly faint: readonly (readonly [number, number, number])[];
}

/** What is cached. */
export interface CacheWork {
  readonly targets: readonly CachedTarget[];
  readonly rows: TokenRows;
  /** Of the activations. */
  readonly identity: string;
  readonly options: CacheOptions;
}

function checkpointPath({ folder }: CacheOptions): string {
  return join(folder, "latents", "cache.part.jsonl");
}

/** Where the entries of each hookpoint's files are while they come in. */
function partPaths({ targets, options: { folder } }: CacheWork): string[][] {
  return targets.map(({ name, ranges }) =>
    ranges.map((range) => join(hookpointFolder(folder, name), `${splitName(range)}.part`))
  );
}

/** Removes what a run leaves that is killed when all is done but the tidying. */
export async function removeUnfinished(work: CacheWork): Promise<void> {
  const paths = [checkpointPath(work.options), ...partPaths(work).flat()];
  for (const path of paths) await removeIfThere(path);
}

/** A pass as it is on disk. */
interface OnDisk {
  readonly checkpoint: Checkpoint<Saved>;
  readonly saved: Saved;
  /** Of each hookpoint, in the order of its ranges. */
  readonly files: readonly (readonly EntryFile[])[];
}

/** A pass; goes on where an earlier run of the same work was stopped. */
export class CachePass implements Disposable {
  readonly #targets: readonly CachedTarget[];
  readonly #rows: TokenRows;
  readonly #identity: string;
  readonly #options: CacheOptions;
  readonly #checkpoint: Checkpoint<Saved>;
  /** Files of each hookpoint, in the order of its ranges. */
  readonly #files: readonly (readonly EntryFile[])[];
  /** Of each hookpoint: tokens on which a latent fires, but too weakly to be kept. */
  readonly #faint: readonly Map<number, number>[];
  readonly #owned: DisposableStack;
  #rowsDone: number;
  #savedAt = performance.now();

  private constructor(
    { targets, rows, identity, options }: CacheWork,
    { checkpoint, saved, files }: OnDisk,
    owned: DisposableStack,
  ) {
    this.#targets = targets;
    this.#rows = rows;
    this.#identity = identity;
    this.#options = options;
    this.#checkpoint = checkpoint;
    this.#files = files;
    this.#faint = targets.map(() => new Map());
    for (const [target, latent, tokens] of saved.faint) this.#faint[target].set(latent, tokens);
    this.#rowsDone = saved.rows;
    this.#owned = owned;
  }

  /** Goes on where an earlier run of the same pass was stopped. */
  static async open(work: CacheWork): Promise<CachePass> {
    const { targets, identity, options } = work;
    for (const { name } of targets) await removeIfThere(configPath(options.folder, name));
    using undo = new DisposableStack();
    const about = { identity, wanted: targets.map(({ name, wanted }) => [name, wanted ?? null]) };
    const checkpoint = undo.use(await Checkpoint.open<Saved>(checkpointPath(options), about));
    const paths = partPaths(work);
    const saved = await savedBefore(checkpoint, paths.flat());
    const files: EntryFile[][] = [];
    let file = 0;
    for (const ofTarget of paths) {
      const opened: EntryFile[] = [];
      for (const path of ofTarget) {
        opened.push(undo.use(await EntryFile.open(path, saved.bytes[file++] ?? 0)));
      }
      files.push(opened);
    }
    return new CachePass(work, { checkpoint, saved, files }, undo.move());
  }

  /** Rows that an earlier run saved, or that this one has kept. */
  get rowsDone(): number {
    return this.#rowsDone;
  }

  /** Runs the model over the rows that are left. */
  async run(model: Reader, show: (progress: CacheProgress) => void): Promise<void> {
    const { rows, contextLength } = this.#rows;
    const targets = this.#targets.map(({ target }) => target);
    const wanted = this.#options.wanted && this.#targets.map(({ wanted }) => new Set(wanted));
    const chunk = Math.max(1, Math.floor(TOKENS_AT_A_TIME / contextLength));
    show({ rowsDone: this.#rowsDone, rows });
    while (this.#rowsDone < rows) {
      const first = this.#rowsDone;
      const count = Math.min(chunk, rows - first);
      const ids = await this.#rows.read(Array.from({ length: count }, (_, i) => first + i));
      const texts = Array.from({ length: count }, (_, i) => ({
        ids: ids.subarray(i * contextLength, (i + 1) * contextLength),
      }));
      for await (const found of readActivations(model, targets, texts, { wanted })) {
        for (const [i, activations] of found.targets.entries()) {
          this.#keep(i, first + found.text, activations);
        }
        this.#rowsDone = first + found.text + 1;
        show({ rowsDone: this.#rowsDone, rows });
        if (this.#isDue()) await this.#save();
      }
    }
    await this.#save();
  }

  /** Keeps one row's activations at one hookpoint. */
  #keep(i: number, row: number, { offsets, units, values }: SparseActivations): void {
    const { ranges } = this.#targets[i];
    const files = this.#files[i];
    const rounded = this.#options.compat === "paper" ? asBf16(values) : values;
    for (let position = 0; position + 1 < offsets.length; position++) {
      for (const slot of slotsByUnit(units, offsets[position], offsets[position + 1])) {
        const latent = units[slot];
        if (rounded[slot] <= LEAST) {
          this.#faint[i].set(latent, (this.#faint[i].get(latent) ?? 0) + 1);
          continue;
        }
        const split = ranges.findIndex(({ end }) => latent < end);
        const place = { row, position, latent: latent - ranges[split].first };
        files[split].add(place, rounded[slot]);
      }
    }
  }

  #isDue(): boolean {
    const { secondsBetweenSaves = 10 } = this.#options;
    const pending = this.#files.flat().reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
    return pending >= PENDING_BYTES ||
      performance.now() - this.#savedAt >= 1000 * secondsBetweenSaves;
  }

  async #save(): Promise<void> {
    const bytes: number[] = [];
    for (const file of this.#files.flat()) bytes.push(await file.save());
    const faint = this.#faint.flatMap((latents, i) =>
      [...latents].map(([latent, tokens]) => [i, latent, tokens] as const)
    );
    await this.#checkpoint.put("saved", { rows: this.#rowsDone, bytes, faint });
    this.#savedAt = performance.now();
  }

  /** Writes the files of the cache. @returns entries in all */
  async finish(): Promise<number> {
    const { folder, compat, config, modelName } = this.#options;
    if (compat !== "paper") await writeTokens(folder, this.#rows, this.#identity);
    else await removeIfThere(join(folder, "latents", "tokens.safetensors"));
    for (const [i, { name, ranges }] of this.#targets.entries()) {
      const place = hookpointFolder(folder, name);
      await removeOtherSplits(place, ranges);
      for (const [split, range] of ranges.entries()) {
        const tokens = compat === "paper" ? this.#rows : undefined;
        await this.#files[i][split].finish(join(place, splitName(range)), tokens);
      }
    }
    await writeFiringCounts(folder, await this.#firingCounts());
    const published = { ...config, model_name: modelName };
    let all = 0;
    for (const [i, { name, wanted }] of this.#targets.entries()) {
      const entries = this.#files[i].reduce((sum, file) => sum + file.entries, 0);
      const own = { identity: this.#identity, latents: wanted ? [...wanted] : null, entries };
      await writeConfig(folder, name, published, own);
      all += entries;
    }
    await this.#checkpoint.remove();
    for (const file of this.#files.flat()) await file.remove();
    return all;
  }

  async #firingCounts(): Promise<Map<string, FiringCounts>> {
    const hookpoints = new Map<string, FiringCounts>();
    for (const [i, { name, width, wanted, ranges }] of this.#targets.entries()) {
      const counts = new Uint32Array(width);
      for (const [split, { first, end }] of ranges.entries()) {
        await this.#files[i][split].addCounts(counts.subarray(first, end));
      }
      for (const [latent, tokens] of this.#faint[i]) counts[latent] += tokens;
      hookpoints.set(name, {
        latents: wanted,
        counts: wanted ? wanted.map((latent) => counts[latent]) : counts,
      });
    }
    return hookpoints;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** What an earlier run saved, as far as its files are still there. */
async function savedBefore(
  checkpoint: Checkpoint<Saved>,
  paths: readonly string[],
): Promise<Saved> {
  const saved = checkpoint.get("saved");
  const nothing = { rows: 0, bytes: [], faint: [] };
  if (saved?.bytes.length !== paths.length) return nothing;
  for (const [i, path] of paths.entries()) {
    if (!await isFile(path) || (await Deno.stat(path)).size < saved.bytes[i]) return nothing;
  }
  return saved;
}

/** Slots `begin` to `end` in the order of their units. */
function slotsByUnit(units: Uint32Array, begin: number, end: number): number[] {
  const slots: number[] = [];
  for (let slot = begin; slot < end; slot++) slots.push(slot);
  return slots.sort((a, b) => units[a] - units[b]);
}

/** What the published program, which computes in bf16, keeps of the values. */
function asBf16(values: Float32Array): Float32Array {
  const bits = Uint32Array.from(floatToBf16Bits(values), (half) => half << 16);
  return new Float32Array(bits.buffer);
}

/** Files of other ranges, which an earlier run left. */
async function removeOtherSplits(place: string, ranges: readonly LatentRange[]): Promise<void> {
  const kept = new Set(ranges.map(splitName));
  for (const name of await listFolder(place)) {
    if (rangeOfName(name) && !kept.has(name)) await Deno.remove(join(place, name));
  }
}

async function removeIfThere(path: string): Promise<void> {
  if (await isFile(path)) await Deno.remove(path);
}
