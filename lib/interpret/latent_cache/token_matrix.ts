/**
 * The texts of an interpretation as a matrix of tokens (spec train-and-interpret B.2, B.11).
 *
 * By default each language has rows of its own, nothing of it is lost but the tokens at its end that
 * fill no row, and the rows depend on the texts alone. As published, languages follow one another as
 * one text, and every batch of 2,048 texts of every process loses its last row.
 */
import { createHash } from "node:crypto";
import type { TokenRows } from "../../data/token_rows.ts";
import { InputError } from "../../formats/input_error.ts";
import type { Access } from "../../subject/access.ts";
import type { ModelTokenizer } from "../../subject/open_tokenizer.ts";
import { openTrainingRows, type TrainingDataOptions } from "../../packing/open_rows.ts";
import type { Pretokenised } from "../../packing/pretokenise.ts";

/** Which texts or token rows, and how many of them; names are the published programs'. */
export interface TokenMatrixOptions extends TrainingDataOptions {
  /** Most tokens (`--n-tokens`, 10,000,000). */
  readonly nTokens: number;
  /** Rows that the published program runs at a time (32): as published, the last of fewer are lost. */
  readonly batchSize: number;
  /** Take every BOS out and cut the rows anew (`--filter-bos`). */
  readonly filterBos: boolean;
}

/**
 * Opens the token matrix that options name; texts are made into rows in `folder` first, where the
 * next run finds them.
 *
 * @throws InputError when the texts cannot be had, or fill no row
 */
export async function openTokenMatrix(
  options: TokenMatrixOptions,
  model: ModelTokenizer,
  access: Access,
  folder: string,
  show?: (done: Pretokenised) => void,
): Promise<TokenRows> {
  using undo = new DisposableStack();
  const all = undo.use(await openTrainingRows(options, model, access, folder, show));
  const { bosId } = model.tokenizer;
  const filtered = options.filterBos && bosId !== undefined ? await withoutToken(all, bosId) : all;
  const rows = rowsWithin(filtered, options);
  if (rows.rows > 0) {
    undo.move();
    return rows;
  }
  throw new InputError(
    `The texts fill ${filtered.rows} rows of ${filtered.contextLength} tokens, of which none is used; ` +
      `give more texts, raise --n-tokens, or lower --cache-ctx-len or --batch-size.`,
  );
}

/**
 * The rows that are used of these: as published the first, in whole batches; by default as many of
 * every language as its share of all is.
 */
export function rowsWithin(
  rows: TokenRows,
  { nTokens, batchSize, compat }: Pick<TokenMatrixOptions, "nTokens" | "batchSize" | "compat">,
): TokenRows {
  const most = Math.min(rows.rows, Math.floor(nTokens / rows.contextLength));
  if (compat === "paper") return firstOfParts(rows, most - most % batchSize, true);
  return most === rows.rows ? rows : firstOfParts(rows, most, false);
}

/** `most` rows: those at the begin, or some of the begin of every part. */
function firstOfParts(rows: TokenRows, most: number, inTurn: boolean): TokenRows {
  const chosen: number[] = [];
  const parts: { language: string | undefined; rows: number }[] = [];
  let begin = 0;
  for (const part of rows.parts) {
    const share = (end: number) =>
      inTurn ? Math.min(end, most) : Math.floor(end * most / rows.rows);
    const count = share(begin + part.rows) - share(begin);
    for (let i = 0; i < count; i++) chosen.push(begin + i);
    if (count > 0) parts.push({ language: part.language, rows: count });
    begin += part.rows;
  }
  return {
    ...described(rows),
    rows: chosen.length,
    parts,
    read: (wanted) => rows.read(Array.from(wanted, (row) => chosen[row])),
    [Symbol.dispose]: () => rows[Symbol.dispose](),
  };
}

function described({ contextLength, leftOver, sha256 }: TokenRows) {
  return { contextLength, leftOver, sha256 };
}

/**
 * The rows without a token: what follows it moves up, and rows are cut anew, each language's by
 * itself. What fills no row at a part's end is left out.
 */
export async function withoutToken(rows: TokenRows, token: number): Promise<TokenRows> {
  const { contextLength } = rows;
  const kept: Uint32Array[] = [];
  const parts: { language: string | undefined; rows: number }[] = [];
  let [begin, leftOver] = [0, rows.leftOver];
  for (const part of rows.parts) {
    const ids = await rows.read(Array.from({ length: part.rows }, (_, i) => begin + i));
    const others = ids.filter((id) => id !== token);
    const filled = Math.floor(others.length / contextLength);
    kept.push(others.subarray(0, filled * contextLength));
    if (filled > 0) parts.push({ language: part.language, rows: filled });
    leftOver += others.length % contextLength;
    begin += part.rows;
  }
  const ids = new Uint32Array(kept.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of kept) {
    ids.set(part, at);
    at += part.length;
  }
  return {
    contextLength,
    rows: ids.length / contextLength,
    parts,
    leftOver,
    sha256: { ids: createHash("sha256").update(ids).digest("hex") },
    read: (wanted) =>
      Promise.resolve(Uint32Array.from(
        { length: wanted.length * contextLength },
        (_, i) => ids[wanted[Math.floor(i / contextLength)] * contextLength + i % contextLength],
      )),
    [Symbol.dispose]: () => rows[Symbol.dispose](),
  };
}
