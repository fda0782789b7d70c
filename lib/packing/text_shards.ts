/** Texts → rows, shard by shard. */
import type { TextSource } from "../data/text_sources.ts";
import { InputError } from "../formats/input_error.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";
import { type DocumentTokens, documentTokens } from "./document_tokens.ts";
import { joinedIds } from "./joined_ids.ts";
import { RowPacker, rowsWithoutLast } from "./packer.ts";
import { type RowForm, rowForm } from "./row_form.ts";
import { paperShards, type ShardOptions, streamedShards } from "./shard_plan.ts";
import type { ShardPart, ShardWriter } from "./shard_writer.ts";

/** How texts become rows, and what their shards are called. */
export interface TextShardOptions extends ShardOptions {
  readonly contextLength: number;
  readonly name: string;
  readonly compat?: "paper";
}

/** Rows of some documents, and what becomes of the text tokens that are in none. */
interface Packed {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly waiting: readonly number[];
  readonly dropped: number;
}

/** Makes rows of batches of documents. */
type Pack = (batches: readonly (readonly string[])[]) => Packed;

/**
 * Writes the rows of texts: a language has rows and shards of its own, and nothing of it is lost but
 * the tokens at its end that fill no row. As published, the last row of every batch is dropped.
 *
 * @throws InputError when texts cannot be read, those of a language fill no row, or, as published, a
 *   batch fills no more than one
 */
export async function* textShards(
  sources: readonly TextSource[],
  tokenizer: Tokenizer,
  options: TextShardOptions,
  writer: ShardWriter,
): AsyncGenerator<ShardPart> {
  const form = rowForm(tokenizer, options.contextLength);
  const tokens = documentTokens(tokenizer, form);
  const isPaper = options.compat === "paper";
  for (const source of sources) {
    const plan = isPaper ? paperShards(await rowsOf(source), options) : streamedShards(options);
    const name = source.language ? `${options.name}_${source.language.code}` : options.name;
    let number = 0;
    let last: ShardPart | undefined;
    let rows = 0;
    let texts: AsyncGenerator<string | null> | undefined;
    for (const sizes of plan) {
      const shard = `${name}_${String(number++).padStart(6, "0")}`;
      let part = writer.recall(shard);
      if (!part) {
        texts ??= source.read(last?.read ?? 0);
        const pack = isPaper
          ? paperPack(tokens, form, source)
          : streamPack(tokens, form, last?.waiting ?? []);
        const { batches, read, ended } = await nextBatches(texts, sizes, isPaper);
        const { ids, waiting, dropped } = pack(batches);
        part = await writer.write(shard, { ids, contextLength: form.contextLength }, {
          language: source.language?.name ?? null,
          read: (last?.read ?? 0) + read,
          texts: batches.reduce((sum, { length }) => sum + length, 0),
          waiting,
          dropped,
          ended,
        });
      }
      yield part;
      last = part;
      rows += part.rows;
      if (part.ended) break;
    }
    await texts?.return(undefined);
    if (rows === 0) throw noRow(source, last?.waiting.length ?? 0, form);
  }
}

function noRow({ language }: TextSource, tokens: number, { textTokens }: RowForm): InputError {
  return new InputError(
    `The texts${
      language ? ` in ${language.name}` : ""
    } have ${tokens} tokens, which fill no row of ` +
      `${textTokens}; give more texts or lower --ctx-len.`,
  );
}

/** How many rows there are, blank ones included. */
async function rowsOf(source: TextSource): Promise<number> {
  let rows = 0;
  for await (const _ of source.read(0)) rows++;
  return rows;
}

/**
 * The next texts in batches of these sizes.
 *
 * @param blank whether a row without a text is an empty document, as published, or none
 */
async function nextBatches(
  texts: AsyncGenerator<string | null>,
  sizes: readonly number[],
  blank: boolean,
): Promise<{ batches: string[][]; read: number; ended: boolean }> {
  const batches: string[][] = [];
  let read = 0;
  for (const size of sizes) {
    const batch: string[] = [];
    batches.push(batch);
    for (let i = 0; i < size; i++) {
      const { done, value } = await texts.next();
      if (done) return { batches, read, ended: true };
      read++;
      if (value !== null || blank) batch.push(value ?? "");
    }
  }
  return { batches, read, ended: false };
}

/** One stream: what fills no row waits for the next documents. */
function streamPack(tokens: DocumentTokens, form: RowForm, waiting: readonly number[]): Pack {
  return (batches) => {
    const packer = new RowPacker(form, waiting);
    const ids = joinedIds(batches.map((batch) => packer.pack(tokens(batch))));
    return { ids, waiting: [...packer.waiting], dropped: 0 };
  };
}

/** Each batch by itself, without its last row. */
function paperPack(tokens: DocumentTokens, form: RowForm, source: TextSource): Pack {
  return (batches) => {
    let text = 0;
    const rows = batches.map((batch) => {
      const ids = tokens(batch);
      text += ids.length;
      const rows = rowsWithoutLast(ids, form);
      if (rows.length > 0) return rows;
      throw new InputError(
        `A batch of ${batch.length} texts${
          source.language ? ` in ${source.language.name}` : ""
        } has ${ids.length} tokens, which the published program drops as the rest of a row of ` +
          `${form.contextLength} and then stops; give more texts, fewer processes or a lower ` +
          `--ctx-len, or leave out --compat paper.`,
      );
    });
    const ids = joinedIds(rows);
    const kept = ids.length / form.contextLength * form.textTokens;
    return { ids, waiting: [], dropped: text - kept };
  };
}
