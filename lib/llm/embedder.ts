/** A model of embeddings behind an endpoint. */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { allAnswered } from "./all_answered.ts";
import { ChatFailure, type Embedder, type Usage } from "./chat.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Inquiry, Reading } from "./inquiry.ts";
import type { Prices } from "./prices.ts";
import { mostTokens, roughTokens } from "./token_counts.ts";

/** Texts of one request. */
const BATCH = 64;
/** The most tokens that models put around a text. */
const MOST_PER_TEXT = 8;

const Embeddings = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()).min(1) })),
  usage: z.object({
    prompt_tokens: z.int().min(0),
    cost: z.number().min(0).optional(),
  }).nullish().catch(undefined),
});

/** A vector as it is kept: its 32-bit floats, in base64. */
const Kept = z.base64();

/**
 * Opens a model of embeddings. Its questions share limits, budget and answers with all others of the
 * endpoint. Each text is asked about once, whatever others it is asked with.
 *
 * @param model as the endpoint calls it
 * @param prices from the options; where the cost is bounded, the endpoint's own if not given
 * @throws InputError when the cost is bounded and nobody tells the prices
 */
export async function openEmbedder(
  endpoint: Endpoint,
  model: string,
  prices?: Prices,
): Promise<Embedder> {
  const known = await endpoint.pricesOf(model, prices);
  const identity = (text: string) => ({ model, embed: text });
  const inquiry = (batch: readonly string[]): Inquiry<string[]> => ({
    path: "embeddings",
    identity: batch.map(identity),
    most: usageOf(batch, (text) => mostTokens(text) + MOST_PER_TEXT),
    rough: usageOf(batch, roughTokens),
    prices: known,
    body: () => ({ model, input: batch, encoding_format: "float" }),
    read: (answer) => reading(answer, batch),
    kept: z.array(Kept).length(batch.length),
    parts: (value) => batch.map((text, i) => ({ identity: identity(text), value: value[i] })),
  });
  return {
    async embed(texts) {
      const vectors = new Map<string, string | undefined>();
      for (const text of new Set(texts)) {
        vectors.set(text, await endpoint.recall(identity(text), Kept));
      }
      const missing = [...vectors.keys()].filter((text) => vectors.get(text) === undefined);
      await allAnswered(
        batches(missing).map(async (batch) => {
          const { value } = await endpoint.answer(inquiry(batch));
          batch.forEach((text, i) => vectors.set(text, value[i]));
        }),
      );
      return sameLengths(model, texts.map((text) => fromBase64(vectors.get(text)!)));
    },
  };
}

function batches(texts: readonly string[]): string[][] {
  return Array.from(
    { length: Math.ceil(texts.length / BATCH) },
    (_, i) => texts.slice(i * BATCH, (i + 1) * BATCH),
  );
}

function sameLengths(model: string, vectors: Float32Array[]): Float32Array[] {
  if (vectors.every(({ length }) => length === vectors[0].length)) return vectors;
  throw new ChatFailure(`${model} gives vectors of different lengths.`, vectors.length);
}

function usageOf(texts: readonly string[], count: (text: string) => number): Usage {
  const promptTokens = texts.reduce((sum, text) => sum + count(text), 0);
  return { promptTokens, completionTokens: 0 };
}

/** One vector of unit length per text, in their order; undefined when the answer has others. */
function reading(answer: unknown, texts: readonly string[]): Reading<string[]> | undefined {
  const { data } = Embeddings.safeParse(answer);
  if (data === undefined || data.data.length !== texts.length) return undefined;
  const places = data.data.toSorted((a, b) => a.index - b.index);
  const vectors = places.map(({ embedding }) => unit(embedding));
  const [dimensions] = vectors.map(({ length }) => length);
  const sound = vectors.every((vector, i) =>
    places[i].index === i && vector.length === dimensions && vector.every(Number.isFinite)
  );
  if (!sound) return undefined;
  return {
    value: vectors.map(toBase64),
    usage: data.usage
      ? { promptTokens: data.usage.prompt_tokens, completionTokens: 0 }
      : usageOf(texts, roughTokens),
    usageTold: Boolean(data.usage),
    dollars: data.usage?.cost,
  };
}

/** NaN for the vector without a direction. */
function unit(values: readonly number[]): Float32Array {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer).toString("base64");
}

function fromBase64(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
}
