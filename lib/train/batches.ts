/** The order in which rows are trained on, batch by batch. */
import type { TokenRows } from "../data/token_rows.ts";
import { InputError } from "../formats/input_error.ts";
import { numpyPermutation } from "../stats/numpy_permutation.ts";
import { mixture, type MixturePart } from "./mixture.ts";

/** Which rows, and how many at a time. */
export interface BatchOptions {
  /** Rows of a batch; the last may have fewer. */
  readonly batchSize: number;
  /** Seed of the shuffle; rows stay in their order, if not given. */
  readonly shuffleSeed?: number;
  /** Rows left out at the begin, after the shuffle. */
  readonly firstExample?: number;
  /** Most rows of those after them. */
  readonly maxExamples?: number;
  /** Shares of languages by name; all rows are used, if not given. */
  readonly shares?: ReadonlyMap<string, number>;
  /** Tokens that the model knows. */
  readonly vocabularySize: number;
}

/** Rows that are trained on together. */
export interface TokenBatch {
  /** [rows, contextLength] */
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly rows: number;
}

/** Rows in the order of training. */
export interface TrainingBatches {
  /** Rows in all batches together. */
  readonly rows: number;
  readonly contextLength: number;
  /** Batches, the last of which may be smaller. */
  readonly count: number;
  /** The rows' numbers in the data, in the order in which they are trained on. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** SHA-256 of the data's files by name. */
  readonly sha256: Readonly<Record<string, string>>;
  /**
   * The batches from number `from` on: a run that goes on starts where it stopped.
   *
   * @throws InputError for a token that the model does not know
   */
  batches(from?: number): AsyncGenerator<TokenBatch>;
}

/**
 * Rows as sparsify orders them (spec train-and-interpret A.5): shuffled as Hugging Face's data sets
 * are, then the first `maxExamples`. Languages with shares are mixed before that; rows that are not
 * shuffled are interleaved by language.
 *
 * @throws InputError for shares that cannot be kept
 */
export function trainingBatches(tokens: TokenRows, options: BatchOptions): TrainingBatches {
  const { batchSize, firstExample = 0, maxExamples = Infinity, vocabularySize } = options;
  const { contextLength, sha256 } = tokens;
  const order = orderOf(tokens, options).slice(firstExample, firstExample + maxExamples);
  return {
    rows: order.length,
    contextLength,
    count: Math.ceil(order.length / batchSize),
    order,
    sha256,
    async *batches(from = 0) {
      for (let begin = from * batchSize; begin < order.length; begin += batchSize) {
        const rows = order.subarray(begin, begin + batchSize);
        const ids = await tokens.read(rows);
        checkVocabulary(ids, vocabularySize);
        yield { ids, rows: rows.length };
      }
    },
  };
}

function orderOf(
  { rows, parts }: TokenRows,
  { shuffleSeed, shares }: BatchOptions,
): Uint32Array<ArrayBuffer> {
  if (shuffleSeed !== undefined && !shares) return numpyPermutation(rows, shuffleSeed);
  let first = 0;
  const languages = new Map<string | undefined, number[]>();
  for (const { language, rows } of parts) {
    const known = languages.get(language) ?? [];
    for (let row = first; row < first + rows; row++) known.push(row);
    languages.set(language, known);
    first += rows;
  }
  const mixed = mixture(
    [...languages].map(([language, rows]): MixturePart => ({
      language,
      rows: shuffled(Uint32Array.from(rows), shuffleSeed),
    })),
    shares,
  );
  return shuffled(mixed, shuffleSeed);
}

function shuffled(
  rows: Uint32Array<ArrayBuffer>,
  seed: number | undefined,
): Uint32Array<ArrayBuffer> {
  if (seed === undefined) return rows;
  return numpyPermutation(rows.length, seed).map((from) => rows[from]);
}

function checkVocabulary(ids: Uint32Array, vocabularySize: number): void {
  const outside = ids.find((id) => id >= vocabularySize);
  if (outside === undefined) return;
  throw new InputError(
    `The data to train on has the token ${outside}, but the model's vocabulary has ${vocabularySize}: ` +
      `tokenise it with the model's own tokenizer.`,
  );
}
