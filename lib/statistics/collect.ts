/** collect: the TopK entries of every token, on disk (stage 1, spec section 2). */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { progress } from "../cli/progress.ts";
import type { Corpus } from "../data/corpora.ts";
import { describeSpec } from "../data/dataset_configs.ts";
import { codeHash } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import { readActivations, type Reader, type SparseActivations } from "../interpret/activations.ts";
import { keptPerToken } from "../sae/sae.ts";
import type { Target } from "../sae/target.ts";
import type { RunOptions } from "../session/options.ts";
import { runModel, type Session } from "../session/session.ts";
import { checkLengths, tokenised, type TokenisedText } from "../session/tokenised.ts";
import type { Subject } from "../subject/subject.ts";
import { hashesAt, READING_ROOMS } from "./origin.ts";
import {
  checkDisjoint,
  type CollectedShard,
  findShards,
  type RowRange,
  type ShardOrigin,
  shardOrigin,
  shardPath,
  writeShard,
} from "./collected_files.ts";
import { byDatasetAndLanguage, folderOfDataset } from "./dataset_folders.ts";

/** Code that decides what is collected. */
const COLLECTING_ROOMS = [...READING_ROOMS, "lib/statistics"];

export interface CollectOptions extends RunOptions {
  /** Texts of one shard. */
  readonly shardRows: number;
}

/** What there is now of one data set and language. */
export interface CollectResult {
  readonly corpus: Corpus;
  readonly folder: string;
  readonly tokens: number;
  /** Files, and how many of them were there. */
  readonly files: number;
  readonly reused: number;
}

/** Everything collected, and by which code. */
export interface Collected {
  readonly results: readonly CollectResult[];
  /** SHA-256 of the code. */
  readonly code: string;
  /** Undefined when everything was there. */
  readonly adapter: string | undefined;
}

/** Some consecutive texts of a corpus: one file per hookpoint. */
interface Shard extends RowRange {
  readonly corpus: Corpus;
  readonly folder: string;
  readonly texts: readonly TokenisedText[];
  readonly tokens: number;
}

/**
 * Collects what is not there yet, one shard after the other: stopping at any moment loses no more
 * than the shard under way. A shard's entries are held on the host until it is written, 8 bytes per
 * slot.
 *
 * @param folder claimed; gets `<data set>/<language>/` with the files
 * @throws InputError for texts or SAEs that cannot be used, and for files in the way
 */
export async function collect(
  session: Session,
  corpora: readonly Corpus[],
  folder: string,
  options: CollectOptions,
): Promise<Collected> {
  const { subject } = session;
  checkTopK(subject.targets);
  const code = await codeHash(COLLECTING_ROOMS);
  const shards = byDatasetAndLanguage(corpora).flatMap(({ corpora }) => corpora)
    .flatMap((corpus) => shardsOf(subject, corpus, folder, options.shardRows));
  const work = shards.map((shard) => ({ shard, origin: originsOf(subject, shard, code) }));
  for (const target of subject.targets) await checkNothingInTheWay(target, work);
  const left: Work[] = [];
  for (const each of work) if (!await isThere(subject, each)) left.push(each);
  const adapter = left.length > 0 ? await collectShards(session, left, options) : undefined;
  const results = corpora.map((corpus) => {
    const own = shards.filter((shard) => shard.corpus === corpus);
    const reused = own.filter((shard) => !left.some((each) => each.shard === shard));
    return {
      corpus,
      folder: folderOf(corpus, folder),
      tokens: own.reduce((sum, { tokens }) => sum + tokens, 0),
      files: own.length * subject.targets.length,
      reused: reused.length * subject.targets.length,
    };
  });
  return { results, code, adapter };
}

/** The originals' form has a fixed number of slots per token. */
function checkTopK(targets: readonly Target[]): void {
  for (const { hookpoint, sae } of targets) {
    if (sae?.activation.kind === "topk") continue;
    throw new InputError(
      `${
        sae?.where ?? hookpoint.name
      } keeps no fixed number of units per token, which collect needs: take a TopK SAE, or run ` +
        `"babelscope statistics", which takes all.`,
    );
  }
}

function folderOf(corpus: Corpus, folder: string): string {
  return join(folder, folderOfDataset(corpus), corpus.spec.lang);
}

function shardsOf(subject: Subject, corpus: Corpus, folder: string, most: number): Shard[] {
  const texts = tokenised(subject, corpus);
  return Array.from({ length: Math.ceil(texts.length / most) }, (_, i) => {
    const own = texts.slice(i * most, (i + 1) * most);
    return {
      corpus,
      folder: folderOf(corpus, folder),
      texts: own,
      tokens: own.reduce((sum, { ids }) => sum + ids.length, 0),
      first: own[0].row,
      end: own[own.length - 1].row + 1,
    };
  });
}

/** A shard and what each of its files says of itself, by hookpoint. */
interface Work {
  readonly shard: Shard;
  readonly origin: ReadonlyMap<string, ShardOrigin>;
}

function originsOf(subject: Subject, shard: Shard, code: string) {
  const { spec: { name, lang, config, split }, source: { commit } } = shard.corpus;
  const texts = textsHash(shard.texts);
  return new Map(subject.targets.map(({ hookpoint }) => {
    const dataset = { name, lang, config, split, commit };
    const identity = JSON.stringify({ ...hashesAt(subject, hookpoint), dataset, code });
    return [hookpoint.name, { identity, texts }];
  }));
}

function textsHash(texts: readonly TokenisedText[]): string {
  const hash = createHash("sha256");
  for (const { text, row } of texts) hash.update(JSON.stringify([row, text]));
  return hash.digest("hex");
}

/** Files of other cuts or other models would be read with the new ones; they are not ours to remove. */
async function checkNothingInTheWay({ hookpoint }: Target, work: readonly Work[]): Promise<void> {
  for (const folder of new Set(work.map(({ shard }) => shard.folder))) {
    const own = work.filter(({ shard }) => shard.folder === folder);
    const planned = own.map(({ shard: { first, end } }) => ({
      path: shardPath(folder, hookpoint.name, { first, end }),
      first,
      end,
    }));
    checkDisjoint(planned.toSorted((a, b) => a.first - b.first));
    const paths = new Set(planned.map(({ path }) => path));
    for (const { path, first, end } of await findShards(folder, hookpoint.name)) {
      if (paths.has(path)) continue;
      if (planned.some((shard) => shard.first < end && first < shard.end)) {
        throw new InputError(
          `${path} holds some of the rows asked for, but not the same ones: remove it, or give the rows ` +
            `and --shard-rows that it was made with.`,
        );
      }
      const origin = await shardOrigin(path);
      if (origin?.identity === own[0].origin.get(hookpoint.name)?.identity) continue;
      throw new InputError(
        `${path} was made from another model, SAE, data set or code: remove it, or name another ` +
          `folder with --out-dir.`,
      );
    }
  }
}

async function isThere({ targets }: Subject, { shard, origin }: Work): Promise<boolean> {
  for (const { hookpoint: { name } } of targets) {
    const written = await shardOrigin(shardPath(shard.folder, name, shard));
    const { identity, texts } = origin.get(name)!;
    if (written?.identity !== identity || written.texts !== texts) return false;
  }
  return true;
}

/** @returns what results call the adapter */
async function collectShards(
  session: Session,
  work: readonly Work[],
  options: CollectOptions,
): Promise<string> {
  using model = await runModel(session, options);
  for (const { shard } of work) checkLengths(shard.corpus, shard.texts, model.limits.tokens);
  const total = work.reduce((sum, { shard }) => sum + shard.tokens, 0);
  const shown = progress({ label: "collecting", total, unit: "tokens" });
  let done = 0;
  try {
    for (const { shard, origin } of work) {
      const note = describeSpec(shard.corpus.spec);
      const read = (tokens: number) => shown.update(done += tokens, note);
      const entries = await entriesOf(model, session.subject.targets, shard, read);
      for (const [i, { hookpoint: { name } }] of session.subject.targets.entries()) {
        const path = shardPath(shard.folder, name, shard);
        await writeShard(path, entries[i], origin.get(name)!);
      }
    }
  } finally {
    shown.done();
  }
  return model.adapter;
}

/**
 * The entries of a shard's texts, per target.
 *
 * @param read told the tokens of each text that is done
 */
async function entriesOf(
  model: Reader,
  targets: readonly Target[],
  { texts, tokens }: Shard,
  read: (tokens: number) => void,
): Promise<CollectedShard[]> {
  const rowOffsets = new Uint32Array(texts.length + 1);
  texts.forEach(({ ids }, i) => rowOffsets[i + 1] = rowOffsets[i] + ids.length);
  const rows = Uint32Array.from(texts, ({ row }) => row);
  const shards = targets.map(({ sae }) => {
    const k = sae ? keptPerToken(sae) : 0;
    const [values, indices] = [new Float32Array(tokens * k), new Uint32Array(tokens * k)];
    return { k, rows, rowOffsets, values, indices };
  });
  const place = ({ k, values, indices }: CollectedShard, text: number, own: SparseActivations) => {
    values.set(own.values, rowOffsets[text] * k);
    indices.set(own.units, rowOffsets[text] * k);
  };
  for await (const own of readActivations(model, targets, texts, { zeros: true })) {
    own.targets.forEach((activations, i) => place(shards[i], own.text, activations));
    read(texts[own.text].ids.length);
  }
  return shards;
}
