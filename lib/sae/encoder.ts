/**
 * SAE encoding: z = ReLU(W_enc (x - b_dec) + b_enc), then the k largest per token, exactly.
 *
 * The encoder is most of all arithmetic and memory of the pipeline, so it never has to be whole on
 * the GPU: it is used in shards of rows, each read once per batch of tokens, and the shards' TopKs
 * are merged. Pre-activations exist for one shard and some tokens at a time.
 */
import type { Gpu } from "../gpu/device.ts";
import { recordCenter } from "../gpu/elementwise.ts";
import { prepareMatMul, recordShardMatMul } from "../gpu/matmul.ts";
import { matrixBytes, shardRanges, uploadShard } from "../gpu/matrix.ts";
import type { Allocated } from "../gpu/memory.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween, strideOf } from "../gpu/rows.ts";
import { recordTopKMerge, TopK, type TopKEntries } from "../gpu/topk.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { keptPerToken, type Sae } from "./sae.ts";

/**
 * Pre-activations kept at a time, in bytes: on a CPU they should stay in its cache, a GPU wants
 * enough work per dispatch.
 */
const PRE_ACTIVATION_BYTES = { texture: 16 * 2 ** 20, tile: 128 * 2 ** 20 };

/** TopK entries with their memory. */
export interface OwnedEntries extends TopKEntries, Disposable {
  readonly k: number;
}

/** Allocates TopK entries for `tokens` tokens. */
export function allocateEntries(gpu: Gpu, tokens: number, k: number): OwnedEntries {
  const values = gpu.buffer("TopK values", tokens * k * 4);
  const indices = gpu.buffer("TopK indices", tokens * k * 4);
  return {
    k,
    values: { buffer: values.resource },
    indices: { buffer: indices.resource },
    [Symbol.dispose]() {
      values[Symbol.dispose]();
      indices[Symbol.dispose]();
    },
  };
}

/** Encodes with SAEs of one shape; owns the scratch memory that takes. */
export class SaeEncoder implements Disposable {
  readonly #gpu: Gpu;
  readonly #store: WeightStore;
  readonly #owned = new DisposableStack();
  readonly #shards: { first: number; rows: number }[];
  readonly #centered: OwnedRows;
  /** Pre-activations of some tokens, one matrix per width of shard. */
  readonly #preActivations = new Map<number, { rows: Rows; topk: TopK }>();
  readonly #more: OwnedEntries;
  readonly #biases = new Map<
    string,
    { encoder: Allocated<GPUBuffer>; decoder: Allocated<GPUBuffer> }
  >();

  /**
   * @param shape an SAE like those to come: same sizes, same stored type
   * @param tokens most tokens of one call
   */
  constructor(gpu: Gpu, store: WeightStore, readonly shape: Sae, readonly tokens: number) {
    this.#gpu = gpu;
    this.#store = store;
    const { latents, inputSize, encoder } = shape;
    const k = keptPerToken(shape);
    this.#shards = shardRanges(gpu, latents, inputSize, encoder.type);
    store.reserve(matrixBytes(gpu, this.#shards[0].rows, inputSize, encoder.type));
    prepareMatMul(gpu, tokens, inputSize);
    this.#centered = this.#owned.use(allocateRows(gpu, "SAE input", tokens, inputSize));
    for (const { rows } of this.#shards) this.#preparePreActivations(rows);
    this.#more = this.#owned.use(allocateEntries(gpu, this.#shards.length > 1 ? tokens : 1, k));
  }

  #preparePreActivations(latents: number): void {
    if (this.#preActivations.has(latents)) return;
    const gpu = this.#gpu;
    const bytes = Math.min(
      PRE_ACTIVATION_BYTES[gpu.identity.family],
      gpu.limits.maxStorageBufferBindingSize,
    );
    const stride = strideOf(latents);
    // Whole strides of tokens, so that the entries of every piece can start a binding.
    const fits = Math.max(64, Math.floor(bytes / (stride * 4) / 64) * 64);
    const tokens = Math.min(fits, Math.ceil(this.tokens / 64) * 64);
    const rows = this.#owned.use(allocateRows(gpu, "SAE pre-activations", tokens, latents));
    const topk = this.#owned.use(new TopK(gpu, keptPerToken(this.shape), tokens, stride));
    this.#preActivations.set(latents, { rows, topk });
  }

  /**
   * Encodes activations; work is recorded and submitted, and only awaited where weights are streamed.
   *
   * @param sae of the shape this encoder was made for
   * @param x [tokens, inputSize]
   * @param entries where the TopK of each token goes
   */
  async encode(recorder: Recorder, sae: Sae, x: Rows, entries: TopKEntries): Promise<void> {
    const gpu = this.#gpu;
    const k = keptPerToken(sae);
    const { encoder, decoder } = this.#biasesOf(sae);
    const centered = rowsBetween(this.#centered, 0, x.rows);
    recordCenter(gpu, recorder, centered, x, decoder.resource);
    for (const range of this.#shards) {
      const { weights, release } = await this.#store.use(
        `${sae.where} from ${range.first}`,
        matrixBytes(gpu, range.rows, sae.inputSize, sae.encoder.type),
        () => uploadShard(gpu, sae.encoder, range),
      );
      const { rows, topk } = this.#preActivations.get(range.rows)!;
      const bias = { buffer: encoder.resource, offset: range.first * 4 };
      const found = range.first === 0 ? entries : this.#more;
      for (let from = 0; from < x.rows; from += rows.rows) {
        const to = Math.min(x.rows, from + rows.rows);
        const input = rowsBetween(centered, from, to);
        const preActivations = rowsBetween(rows, 0, to - from);
        const epilogue = { bias, relu: true };
        recordShardMatMul(gpu, recorder, input, weights, preActivations, epilogue, range.first);
        topk.record(recorder, preActivations, range.first, entriesFrom(found, from, k));
      }
      if (found !== entries) recordTopKMerge(gpu, recorder, k, x.rows, entries, found);
      recorder.submit();
      await release();
    }
  }

  #biasesOf(sae: Sae) {
    let biases = this.#biases.get(sae.where);
    if (!biases) {
      biases = {
        encoder: this.#owned.use(this.#gpu.bufferOf("SAE encoder bias", sae.encoderBias)),
        decoder: this.#owned.use(this.#gpu.bufferOf("SAE decoder bias", sae.inputBias)),
      };
      this.#biases.set(sae.where, biases);
    }
    return biases;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

function entriesFrom({ values, indices }: TopKEntries, token: number, k: number): TopKEntries {
  const from = ({ buffer, offset = 0 }: GPUBufferBinding) => ({
    buffer,
    offset: offset + token * k * 4,
  });
  return { values: from(values), indices: from(indices) };
}

/** TopK entries on the host: [tokens, k], values descending, ties by lower index. */
export interface HostEntries {
  readonly values: Float32Array<ArrayBuffer>;
  readonly indices: Uint32Array<ArrayBuffer>;
}

/** Reads the entries of `tokens` tokens back. */
export async function readEntries(
  gpu: Gpu,
  { values, indices, k }: OwnedEntries,
  tokens: number,
): Promise<HostEntries> {
  const bytes = tokens * k * 4;
  return {
    values: new Float32Array(await gpu.read(values.buffer, 0, bytes)),
    indices: new Uint32Array(await gpu.read(indices.buffer, 0, bytes)),
  };
}
