/** A stream of text tokens → rows of one length, nothing lost between them. */
import type { RowForm } from "./row_form.ts";

/** Cuts text tokens into rows; what does not fill one waits for more. */
export class RowPacker {
  readonly #form: RowForm;
  /** Text tokens that are in no row yet. */
  #waiting: Uint32Array<ArrayBuffer>;

  /** @param waiting text tokens that an earlier part of the stream left over */
  constructor(form: RowForm, waiting: ArrayLike<number> = []) {
    this.#form = form;
    this.#waiting = Uint32Array.from(waiting);
  }

  /** Text tokens that do not fill a row yet: fewer than one takes. */
  get waiting(): Uint32Array<ArrayBuffer> {
    return this.#waiting;
  }

  /** The rows that the tokens fill, together with those that wait: [rows, contextLength]. */
  pack(tokens: Uint32Array): Uint32Array<ArrayBuffer> {
    const text = new Uint32Array(this.#waiting.length + tokens.length);
    text.set(this.#waiting);
    text.set(tokens, this.#waiting.length);
    const rows = rowsOf(text, this.#form);
    this.#waiting = text.slice(rows.length / this.#form.contextLength * this.#form.textTokens);
    return rows;
  }
}

/**
 * Rows of a batch of documents as sparsify makes them: the last is dropped, full or not (spec
 * train-and-interpret A.5). None may remain.
 *
 * @returns [rows, contextLength]
 */
export function rowsWithoutLast(tokens: Uint32Array, form: RowForm): Uint32Array<ArrayBuffer> {
  const kept = Math.max(Math.ceil(tokens.length / form.textTokens) - 1, 0);
  return rowsOf(tokens.subarray(0, kept * form.textTokens), form);
}

/** As many rows as are full. */
function rowsOf(text: Uint32Array, form: RowForm): Uint32Array<ArrayBuffer> {
  const { contextLength, before, after, textTokens } = form;
  const count = Math.floor(text.length / textTokens);
  const rows = new Uint32Array(count * contextLength);
  for (let row = 0; row < count; row++) {
    const at = row * contextLength;
    rows.set(before, at);
    rows.set(text.subarray(row * textTokens, (row + 1) * textTokens), at + before.length);
    rows.set(after, at + contextLength - after.length);
  }
  return rows;
}
