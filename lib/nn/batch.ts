/** Texts packed one after the other, without padding: what one forward pass works on. */
import { InputError } from "../formats/input_error.ts";

/** A packed batch; all arrays have one entry per token. */
export interface Batch {
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Position within the token's own text, from 0 (BOS). */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** Index of the first token of the token's text. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** The token's text, counted within the batch. */
  readonly examples: Uint32Array<ArrayBuffer>;
  readonly exampleCount: number;
}

/** What one batch may hold at most. */
export interface BatchLimits {
  readonly tokens: number;
  readonly examples: number;
}

/** Packs tokenised texts, none of them empty. */
export function pack(texts: readonly Uint32Array[]): Batch {
  const total = texts.reduce((sum, ids) => sum + ids.length, 0);
  const [ids, positions, starts, examples] = Array.from(
    { length: 4 },
    () => new Uint32Array(total),
  );
  let start = 0;
  texts.forEach((text, example) => {
    const end = start + text.length;
    ids.set(text, start);
    for (let at = start; at < end; at++) positions[at] = at - start;
    starts.fill(start, start, end);
    examples.fill(example, start, end);
    start = end;
  });
  return { ids, positions, starts, examples, exampleCount: texts.length };
}

/**
 * Cuts a list of texts, in order, into groups that fit one batch each. Results do not depend on the
 * cut; speed does.
 *
 * @throws InputError for a text that does not fit a batch of its own, or has no tokens
 */
export function* groupTexts<T extends { readonly ids: Uint32Array }>(
  texts: Iterable<T>,
  limits: BatchLimits,
): Generator<T[]> {
  let group: T[] = [];
  let tokens = 0;
  let at = 0;
  for (const text of texts) {
    const { length } = text.ids;
    if (length === 0 || length > limits.tokens) {
      throw new InputError(
        `text ${at} has ${length} tokens, expected 1 to ${limits.tokens}: ` +
          (length === 0 ? "leave it out." : "raise --block-tokens or split the text."),
      );
    }
    if (tokens + length > limits.tokens || group.length === limits.examples) {
      yield group;
      group = [];
      tokens = 0;
    }
    group.push(text);
    tokens += length;
    at++;
  }
  if (group.length > 0) yield group;
}
