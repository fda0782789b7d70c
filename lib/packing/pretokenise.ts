/**
 * Texts → shards of rows of token ids (spec train-and-interpret A.5 and A.7): streaming, so that a
 * corpus of any size takes the memory of one shard, and taken up again where it was stopped.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { isFile } from "../data/file_tree.ts";
import { readJson } from "../data/files.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { codeHash } from "../data/manifest.ts";
import { TOKEN_INDEX, TokenIndex } from "../data/token_rows.ts";
import type { ModelTokenizer } from "../subject/open_tokenizer.ts";
import { separatorOf } from "./document_tokens.ts";
import { listShards } from "./list_shards.ts";
import { rowForm } from "./row_form.ts";
import type { ShardOptions } from "./shard_plan.ts";
import { type ShardPart, ShardWriter } from "./shard_writer.ts";
import { textShards } from "./text_shards.ts";
import type { TokenSource } from "./token_source.ts";

/** Code that decides rows. */
const ROOMS = ["lib/packing", "lib/data", "lib/formats"];

/** How texts become rows. */
export interface PretokeniseOptions extends ShardOptions {
  /** Tokens of a row; the tokenizer may set a lower bound, and lists of ids have their own length. */
  readonly contextLength: number;
  /** Part of the shards' names: the split. */
  readonly name: string;
  /** "paper": the last row of every batch of documents is dropped. */
  readonly compat?: "paper";
}

/** What a folder of rows holds, so far or in all. */
export interface Pretokenised {
  readonly contextLength: number;
  readonly texts: number;
  readonly rows: number;
  /** Tokens in rows. */
  readonly tokens: number;
  /** Text tokens at the ends of languages that fill no row. */
  readonly leftOver: number;
  /** Text tokens that the published program drops. */
  readonly dropped: number;
}

/**
 * Writes rows of token ids into a folder, which `openTokenFolder` then reads. The same source and
 * options give the same bytes, however often the work was stopped; where all is done, nothing is.
 *
 * @param show told after every shard
 * @throws InputError when the source cannot be read, fills no row, or the folder cannot be written
 */
export async function pretokenise(
  source: TokenSource,
  model: ModelTokenizer,
  options: PretokeniseOptions,
  folder: string,
  show: (done: Pretokenised) => void = () => {},
): Promise<Pretokenised> {
  using _claim = await claimFolder(folder);
  const about = await aboutRows(source, model, options);
  const identity = createHash("sha256").update(JSON.stringify(about)).digest("hex");
  const known = await finishedBefore(folder, identity);
  if (known) return known;
  using writer = await ShardWriter.open(folder, identity, model.vocabularySize);
  const contextLength = source.kind === "lists"
    ? source.source.length
    : rowForm(model.tokenizer, options.contextLength).contextLength;
  const shards = source.kind === "lists"
    ? listShards(source.source, options, writer)
    : textShards(source.sources, model.tokenizer, options, writer);
  for await (const _ of shards) show(summaryOf(writer.parts, contextLength));
  const done = summaryOf(writer.parts, contextLength);
  await writer.finish({
    identity,
    context_length: contextLength,
    rows: done.rows,
    tokens: done.tokens,
    texts: done.texts,
    left_over_tokens: done.leftOver,
    dropped_tokens: done.dropped,
    about,
  });
  return done;
}

/** All that decides the rows. */
async function aboutRows(
  source: TokenSource,
  { name, tokenizer, hashes }: ModelTokenizer,
  { contextLength, compat, processes, mapped, batchSize }: PretokeniseOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const code = await codeHash(ROOMS);
  if (source.kind === "lists") {
    return { source: source.source.identity, shard_size: batchSize, code };
  }
  return {
    source: source.sources.map(({ identity }) => identity),
    tokenizer: { model: name, sha256: hashes, separator: separatorOf(tokenizer) },
    context_length: contextLength,
    shard_size: batchSize,
    // rows do not depend on these but as published
    ...compat === "paper" ? { compat, processes, mapped } : {},
    code,
  };
}

/** What the folder holds, if an earlier run of the same work came to its end. */
async function finishedBefore(
  folder: string,
  identity: string,
): Promise<Pretokenised | undefined> {
  const path = join(folder, TOKEN_INDEX);
  if (!await isFile(path)) return undefined;
  const { data: index } = TokenIndex.safeParse(await readJson(path));
  if (index?.identity !== identity) return undefined;
  return {
    contextLength: index.context_length,
    texts: index.texts,
    rows: index.rows,
    tokens: index.tokens,
    leftOver: index.left_over_tokens,
    dropped: index.dropped_tokens,
  };
}

function summaryOf(parts: readonly ShardPart[], contextLength: number): Pretokenised {
  const sum = (amount: (part: ShardPart) => number) =>
    parts.reduce((total, part) => total + amount(part), 0);
  const rows = sum((part) => part.rows);
  return {
    contextLength,
    texts: sum(({ texts }) => texts),
    rows,
    tokens: rows * contextLength,
    leftOver: sum(({ ended, waiting }) => ended ? waiting.length : 0),
    dropped: sum(({ dropped }) => dropped),
  };
}
