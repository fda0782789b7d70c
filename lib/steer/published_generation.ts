/**
 * Texts written as the published loop writes them (spec 8.1, quirk 15): after every token the whole text
 * is decoded, tokenised again and read again. Token boundaries may change on the way, and tokens that
 * are a part of a character become U+FFFD for good.
 */
import type { Tokenizer } from "../formats/tokenizer.ts";
import type { Gpu } from "../gpu/device.ts";
import { allocateRows } from "../gpu/rows.ts";
import { Sampler } from "../gpu/sampler.ts";
import { type BatchLimits, groupTexts, pack } from "../nn/batch.ts";
import {
  clipped,
  type Continuation,
  type Generation,
  NO_SET,
  seedKey,
  type Steering,
} from "../nn/generation.ts";
import type { Llama } from "../nn/llama.ts";

/** A text of the published loop. */
export interface PublishedText {
  /** Prompt and answer without BOS; with the end token, literally, where that was drawn. */
  readonly text: string;
  /** Tokens that were drawn. */
  readonly tokens: number;
  readonly ended: boolean;
}

interface Growing {
  ids: Uint32Array;
  readonly continuation: Continuation;
  text: string;
  tokens: number;
  ended: boolean;
}

/**
 * Writes texts by the published loop, edits at every token. Random numbers are this program's: a text
 * depends on its seed alone.
 *
 * @param tokenizer puts BOS in front
 * @throws InputError for a text that has become longer than a batch
 */
export async function generatePublished(
  gpu: Gpu,
  llama: Llama,
  tokenizer: Tokenizer,
  continuations: readonly Continuation[],
  limits: BatchLimits,
  { maxNewTokens, sampling, endIds, progress }: Generation,
  steering: Steering,
): Promise<PublishedText[]> {
  const { config } = llama;
  const longest = continuations.reduce((sum, { prompt }) => sum + prompt.length + maxNewTokens, 0);
  const stride = llama.prepareScoring(Math.min(longest, limits.tokens), continuations.length);
  const rows = Math.min(continuations.length, limits.examples);
  using sampler = new Sampler(gpu, clipped(sampling, config.vocabularySize), rows, stride);
  const texts = continuations.map((continuation): Growing => ({
    ...{ ids: continuation.prompt, continuation },
    ...{ text: "", tokens: 0, ended: false },
  }));
  for (let count = 0; count < maxNewTokens; count++) {
    const active = texts.filter(({ ended }) => !ended);
    for (const group of groupTexts(active, limits)) {
      const drawn = await drawNext(gpu, llama, sampler, group, count, steering);
      group.forEach((text, i) => extend(text, drawn[i], tokenizer, endIds));
      progress?.(group.length);
    }
  }
  return texts.map(({ text, tokens, ended }) => ({ text, tokens, ended }));
}

function extend(text: Growing, id: number, tokenizer: Tokenizer, endIds: readonly number[]): void {
  const ids = [...text.ids, id];
  text.text = tokenizer.decode(ids[0] === tokenizer.bosId ? ids.slice(1) : ids);
  text.ids = tokenizer.encode(text.text);
  text.ended = endIds.includes(id);
  text.tokens++;
}

/** Draws the token that comes after each text, the `count`th that is drawn for it. */
async function drawNext(
  gpu: Gpu,
  llama: Llama,
  sampler: Sampler,
  texts: readonly Growing[],
  count: number,
  steering: Steering,
): Promise<Uint32Array> {
  const batch = pack(texts.map(({ ids }) => ids));
  const rows = texts.length;
  using owned = new DisposableStack();
  const upload = (label: string, values: readonly number[]) => ({
    buffer: owned.use(gpu.bufferOf(label, Uint32Array.from(values))).resource,
    size: values.length * 4,
  });
  const sets = texts.flatMap(({ ids, continuation }) =>
    Array<number>(ids.length).fill(continuation.set ?? NO_SET)
  );
  const residual = await llama.forward(
    batch,
    [...steering.hooks(upload("edits of tokens", sets))],
    true,
  );
  const last = owned.use(allocateRows(gpu, "last residuals", rows, llama.config.hiddenSize));
  const recorder = gpu.recorder();
  const bytes = residual.stride * 4;
  let end = 0;
  texts.forEach(({ ids }, row) => {
    end += ids.length;
    const from = residual.offset + (end - 1) * bytes;
    recorder.copy(residual.buffer, from, last.buffer, row * bytes, bytes);
  });
  await llama.eachLogits(
    recorder,
    last,
    (block, row, token) => sampler.record(recorder, block, row, token),
  );
  const seeds = upload("seeds", texts.flatMap(({ continuation }) => seedKey(continuation.seed)));
  const ids = owned.use(gpu.buffer("drawn ids", rows * 4)).resource;
  sampler.recordDraw(recorder, rows, seeds, count, { buffer: ids, size: rows * 4 });
  recorder.submit();
  return new Uint32Array(await gpu.read(ids, 0, rows * 4));
}
