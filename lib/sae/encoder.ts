/**
 * SAE encoding: a = latentScale · (W_enc (norm(x) - inputBias) + b_enc), then either the k largest of
 * ReLU(a) per token (or of k groups), exactly, or all of f = a where a > max(0, threshold).
 *
 * The encoder is most of all arithmetic and memory of the pipeline, so it never has to be whole on
 * the GPU: it is used in shards of rows, each read once per batch of tokens, which the TopK takes in
 * turn. Pre-activations exist for one shard and some tokens at a time.
 */
import type { Gpu } from "../gpu/device.ts";
import { recordScale, recordThreshold } from "../gpu/elementwise.ts";
import { recordGroupMax } from "../gpu/group_max.ts";
import { prepareMatMul, recordShardMatMul } from "../gpu/matmul.ts";
import { matrixBytes, shardRanges, uploadShard } from "../gpu/matrix.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween, strideOf } from "../gpu/rows.ts";
import { recordSaeInput } from "../gpu/sae_input.ts";
import { TopK, type TopKEntries } from "../gpu/topk.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { keptPerToken, type Sae } from "./sae.ts";

/**
 * Tokens whose pre-activations of some latents exist at a time, a multiple of 64. On a CPU they should
 * stay in its cache, but read the weights seldom; a GPU wants enough work per dispatch.
 */
export function tokensPerPiece({ identity, limits }: Gpu, latents: number): number {
  const rowBytes = strideOf(latents) * 4;
  const fits = (bytes: number) => Math.floor(bytes / rowBytes / 64) * 64;
  const wanted = identity.family === "texture"
    ? Math.max(256, fits(4 * 2 ** 20))
    : fits(128 * 2 ** 20);
  return Math.max(64, Math.min(wanted, fits(limits.maxStorageBufferBindingSize)));
}

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

/** Activations of some latents on some tokens, where they lie until the next piece is recorded. */
export interface Piece {
  /** [tokens, latents] f32, not negative */
  readonly values: Rows;
  /** Index of column 0. */
  readonly latent: number;
  /** Index of row 0, a multiple of 64. */
  readonly token: number;
}

/** What an SAE has on the GPU beside its encoder matrix, and how that matrix is cut. */
interface Prepared {
  readonly shards: readonly { first: number; rows: number }[];
  readonly input: OwnedRows;
  readonly inputBias: GPUBuffer;
  readonly encoderBias: GPUBuffer;
  readonly latentScale: GPUBuffer | undefined;
  /** Of SAEs with thresholds. */
  readonly thresholds: GPUBuffer | undefined;
}

/** Encodes with some SAEs, one after the other; owns the scratch memory that takes. */
export class SaeEncoder implements Disposable {
  readonly #gpu: Gpu;
  readonly #store: WeightStore;
  readonly #owned = new DisposableStack();
  readonly #prepared = new Map<Sae, Prepared>();
  /** Normalised and centred activations, by width. */
  readonly #inputs = new Map<number, OwnedRows>();
  /** Pre-activations of some tokens, by width of shard. */
  readonly #preActivations = new Map<number, Rows>();
  /** By k and width of shard. */
  readonly #topks = new Map<string, TopK>();

  /**
   * @param saes all that are going to be used, of any sizes, stored types and activations
   * @param tokens most tokens of one call
   */
  constructor(gpu: Gpu, store: WeightStore, saes: Iterable<Sae>, readonly tokens: number) {
    this.#gpu = gpu;
    this.#store = store;
    for (const sae of saes) this.#prepare(sae);
  }

  #prepare(sae: Sae): void {
    const gpu = this.#gpu;
    const { latents, inputSize, encoder, activation } = sae;
    const shards = shardRanges(gpu, latents, inputSize, encoder.type);
    const shardBytes = matrixBytes(gpu, shards[0].rows, inputSize, encoder.type);
    this.#store.reserve("SAE encoder", shardBytes);
    for (const { rows } of shards) this.#preparePreActivations(rows);
    if (activation.kind === "topk" && !activation.grouped) this.#prepareTopK(activation.k, shards);
    const upload = (label: string, values: Float32Array<ArrayBuffer>, width: number) =>
      this.#owned.use(gpu.bufferOf(label, paddedTo(strideOf(width), values))).resource;
    this.#prepared.set(sae, {
      shards,
      input: this.#inputOf(inputSize),
      inputBias: upload("SAE decoder bias", sae.inputBias, inputSize),
      encoderBias: upload("SAE encoder bias", sae.encoderBias, latents),
      latentScale: sae.latentScale && upload("SAE latent scale", sae.latentScale, latents),
      thresholds: activation.kind === "threshold"
        ? upload("SAE thresholds", activation.thresholds, latents)
        : undefined,
    });
  }

  #inputOf(width: number): OwnedRows {
    const known = this.#inputs.get(width);
    if (known) return known;
    prepareMatMul(this.#gpu, this.tokens, width);
    const input = this.#owned.use(allocateRows(this.#gpu, "SAE input", this.tokens, width));
    this.#inputs.set(width, input);
    return input;
  }

  #preparePreActivations(latents: number): void {
    if (this.#preActivations.has(latents)) return;
    const gpu = this.#gpu;
    // Whole strides of tokens, so that the entries of every piece can start a binding.
    const tokens = Math.min(tokensPerPiece(gpu, latents), Math.ceil(this.tokens / 64) * 64);
    const rows = this.#owned.use(allocateRows(gpu, "SAE pre-activations", tokens, latents));
    this.#preActivations.set(latents, rows);
  }

  #prepareTopK(k: number, shards: Prepared["shards"]): void {
    for (const { rows: latents } of shards) {
      const { rows: tokens, stride } = this.#preActivations.get(latents)!;
      const key = `${k} of ${latents}`;
      if (this.#topks.has(key)) continue;
      this.#topks.set(key, this.#owned.use(new TopK(this.#gpu, k, tokens, stride)));
    }
  }

  /**
   * Encodes activations with a TopK SAE; work is recorded and submitted, and only awaited where
   * weights are streamed.
   *
   * @param sae one of those this encoder was made for
   * @param x [tokens, inputSize]
   * @param entries where the TopK of each token goes
   */
  async encode(recorder: Recorder, sae: Sae, x: Rows, entries: TopKEntries): Promise<void> {
    const k = keptPerToken(sae);
    const { latents, activation } = sae;
    const isGrouped = activation.kind === "topk" && activation.grouped;
    await this.#eachPiece(recorder, sae, x, ({ values, latent, token }) => {
      const own = entriesFrom(entries, token, k);
      if (isGrouped) {
        const range = { first: latent, latents };
        return recordGroupMax(this.#gpu, recorder, values, k, own, range);
      }
      const topk = this.#topks.get(`${k} of ${values.width}`)!;
      topk.record(recorder, values, latent, own);
    });
  }

  /**
   * Encodes activations with an SAE that has thresholds: any number of latents may be active, so
   * they are handed on piece by piece. Pieces of the same latents come in the order of tokens.
   *
   * @param sae one of those this encoder was made for
   * @param x [tokens, inputSize]
   * @param visit records what uses a piece, or submits and waits for it
   * @throws RangeError for an SAE of another activation
   */
  async encodeDense(
    recorder: Recorder,
    sae: Sae,
    x: Rows,
    visit: (piece: Piece) => void | Promise<void>,
  ): Promise<void> {
    const { thresholds } = this.#preparedOf(sae);
    if (!thresholds) throw new RangeError(`${sae.where} keeps a number of latents per token`);
    await this.#eachPiece(recorder, sae, x, (piece) => {
      const row = { buffer: thresholds, offset: piece.latent * 4 };
      recordThreshold(this.#gpu, recorder, piece.values, row);
      return visit(piece);
    });
  }

  /** Records max(0, a), shard by shard and some tokens at a time. */
  async #eachPiece(
    recorder: Recorder,
    sae: Sae,
    x: Rows,
    visit: (piece: Piece) => void | Promise<void>,
  ): Promise<void> {
    const gpu = this.#gpu;
    const { shards, input, inputBias, encoderBias, latentScale } = this.#preparedOf(sae);
    const normed = rowsBetween(input, 0, x.rows);
    recordSaeInput(gpu, recorder, sae.normalisation, x, inputBias, normed);
    for (const range of shards) {
      const { weights, release } = await this.#store.use(
        `${sae.where} from ${range.first}`,
        matrixBytes(gpu, range.rows, sae.inputSize, sae.encoder.type),
        () => uploadShard(gpu, sae.encoder, range),
      );
      const scratch = this.#preActivations.get(range.rows)!;
      const offset = range.first * 4;
      const epilogue = { bias: { buffer: encoderBias, offset }, relu: true };
      for (let from = 0; from < x.rows; from += scratch.rows) {
        const to = Math.min(x.rows, from + scratch.rows);
        const rows = rowsBetween(normed, from, to);
        const values = rowsBetween(scratch, 0, to - from);
        recordShardMatMul(gpu, recorder, rows, weights, values, epilogue, range.first);
        // Scales are positive, so they may follow the ReLU.
        if (latentScale) recordScale(gpu, recorder, values, { buffer: latentScale, offset });
        await visit({ values, latent: range.first, token: from });
      }
      recorder.submit();
      await release();
    }
  }

  #preparedOf(sae: Sae): Prepared {
    const prepared = this.#prepared.get(sae);
    if (!prepared) throw new RangeError(`${sae.where} is not among this encoder's SAEs`);
    return prepared;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

function paddedTo(
  length: number,
  values: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  if (values.length >= length) return values;
  const padded = new Float32Array(length);
  padded.set(values);
  return padded;
}

function entriesFrom({ values, indices }: TopKEntries, token: number, k: number): TopKEntries {
  const from = ({ buffer, offset = 0 }: GPUBufferBinding) => ({
    buffer,
    offset: offset + token * k * 4,
  });
  return { values: from(values), indices: from(indices) };
}

/** TopK entries on the host: [tokens, k], values descending, ties by lower index; groups in their order. */
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
