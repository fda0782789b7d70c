/**
 * How well a model predicts texts. The perplexity of a text t_0 … t_n is
 * exp(-(1/n) Σ_{j=1..n} ln p(t_j | t_<j)): the first token, BOS where the model has one, is context
 * only (spec 8.2).
 */
import { InputError } from "../formats/input_error.ts";
import type { Gpu } from "../gpu/device.ts";
import { type BatchLimits, groupTexts, pack } from "../nn/batch.ts";
import type { Hook, Llama } from "../nn/llama.ts";
import { quantile } from "../stats/bootstrap.ts";
import type { EditHooks } from "./edit_hooks.ts";

/** What a model makes of one text. */
export interface TextScore {
  /** Tokens that were predicted: all but the first. */
  readonly tokens: number;
  /** -Σ ln p over them, in nats. */
  readonly negativeLogLikelihood: number;
}

/** A text as the model reads it. */
export interface TokenisedText {
  readonly ids: Uint32Array;
}

/**
 * Scores texts, a batch at a time. A text's score does not depend on the others.
 *
 * @param hooks what happens to the activations on the way: interventions
 * @yields the scores of each batch, in the order of the texts
 * @throws InputError for a text of fewer than two tokens, before any is scored, or of more than a batch
 */
export async function* scoreTexts(
  llama: Llama,
  texts: readonly TokenisedText[],
  limits: BatchLimits,
  hooks: readonly Hook[] = [],
): AsyncGenerator<TextScore[]> {
  checkPredictable(texts);
  llama.prepareScoring(limits.tokens);
  for (const group of groupTexts(texts, limits)) yield await scoreBatch(llama, group, hooks);
}

/** A text and what is done to activations while the model reads it. */
export interface EditedText extends TokenisedText {
  /** Which set of edits its tokens get, or NO_GROUP. */
  readonly group: number;
}

/**
 * Scores texts with an intervention each. Texts of several interventions share batches: a text's score
 * does not depend on the others.
 *
 * @yields the scores of each batch, in the order of the texts
 * @throws InputError as {@linkcode scoreTexts}
 */
export async function* scoreEditedTexts(
  gpu: Gpu,
  llama: Llama,
  texts: readonly EditedText[],
  limits: BatchLimits,
  edits: EditHooks,
): AsyncGenerator<TextScore[]> {
  checkPredictable(texts);
  llama.prepareScoring(limits.tokens);
  for (const batch of groupTexts(texts, limits)) {
    const groups = batch.flatMap(({ ids, group }) => Array<number>(ids.length).fill(group));
    using buffer = gpu.bufferOf("groups of tokens", Uint32Array.from(groups));
    yield await scoreBatch(llama, batch, edits.hooks({ buffer: buffer.resource }));
  }
}

function checkPredictable(texts: readonly TokenisedText[]): void {
  const short = texts.findIndex(({ ids }) => ids.length < 2);
  if (short < 0) return;
  throw new InputError(
    `text ${short} has ${texts[short].ids.length} tokens, too few for a perplexity: expected at ` +
      `least 2; leave it out.`,
  );
}

async function scoreBatch(
  llama: Llama,
  texts: readonly TokenisedText[],
  hooks: readonly Hook[],
): Promise<TextScore[]> {
  const batch = pack(texts.map(({ ids }) => ids));
  const residual = await llama.forward(batch, hooks, true);
  return sumsByText(texts, await llama.logProbabilities(residual, nextTokens(batch.ids)));
}

/** The token after each; the last token of a text gets another text's first, which nobody asks for. */
function nextTokens(ids: Uint32Array): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(ids.length);
  next.set(ids.subarray(1));
  return next;
}

function sumsByText(texts: readonly TokenisedText[], logProbabilities: Float64Array): TextScore[] {
  let first = 0;
  return texts.map(({ ids }) => {
    const tokens = ids.length - 1;
    const predicted = logProbabilities.subarray(first, first + tokens);
    first += ids.length;
    return { tokens, negativeLogLikelihood: -predicted.reduce((sum, value) => sum + value, 0) };
  });
}

/** Perplexity of one text. */
export function perplexity({ tokens, negativeLogLikelihood }: TextScore): number {
  return Math.exp(negativeLogLikelihood / tokens);
}

/** Arithmetic mean of the texts' perplexities: the published figure, in which few texts weigh most. */
export function meanPerplexity(scores: readonly TextScore[]): number {
  return scores.reduce((sum, score) => sum + perplexity(score), 0) / scores.length;
}

/** Median of the texts' perplexities: of a typical text. */
export function medianPerplexity(scores: readonly TextScore[]): number {
  return quantile(scores.map(perplexity).sort((a, b) => a - b), 0.5);
}

/** Perplexity of all tokens together, as if the texts were one. */
export function corpusPerplexity(scores: readonly TextScore[]): number {
  return perplexity({
    tokens: scores.reduce((sum, { tokens }) => sum + tokens, 0),
    negativeLogLikelihood: scores.reduce((sum, score) => sum + score.negativeLogLikelihood, 0),
  });
}
