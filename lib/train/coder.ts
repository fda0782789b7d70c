/**
 * A sparse coder that is trained on the GPU: forward, backward and losses of one hookpoint's
 * autoencoder or transcoder (spec train-and-interpret A.1).
 *
 * Only the encoder's product is dense. Decoding and all gradients cost in proportion to the selected
 * latents: every latent sums its gradient over the list of tokens that selected it, in their order.
 * So results are the same to the bit in every run, and the gradients of encoder, decoder and biases
 * the same for every size of chunk (W_skip's sums are cut where chunks are).
 *
 * Everything is recorded and nothing awaited, until losses or tensors are read.
 */
import { ChangingMatrix } from "../gpu/changing_matrix.ts";
import { recordColumnSums, recordSumPartials, summedBlocks } from "../gpu/column_sums.ts";
import { DeadLatents } from "../gpu/dead_latents.ts";
import { type DecodeBase, recordDecodeTopK } from "../gpu/decode_topk.ts";
import type { Gpu } from "../gpu/device.ts";
import { recordAdd, recordScale } from "../gpu/elementwise.ts";
import { recordGroupMax } from "../gpu/group_max.ts";
import { recordLatentGradients } from "../gpu/latent_gradients.ts";
import { LatentLists } from "../gpu/latent_lists.ts";
import { prepareMatMul, recordMatMul } from "../gpu/matmul.ts";
import type { Recorder } from "../gpu/recorder.ts";
import {
  allocateRows,
  bindRows,
  type OwnedRows,
  readRows,
  type Rows,
  rowsBetween,
  strideOf,
  writeRows,
} from "../gpu/rows.ts";
import { recordSaeInput } from "../gpu/sae_input.ts";
import { recordSlotGradients } from "../gpu/slot_gradients.ts";
import { StagedMatrix, type StagedRange, StagedRows } from "../gpu/staged_rows.ts";
import { recordNormaliseRows, recordProjectRows } from "../gpu/unit_rows.ts";
import { BatchLosses, type Chunk, type Losses } from "./batch_losses.ts";
import type { CoderTensors } from "./initial_tensors.ts";
import type { Parameter, ParameterName } from "./parameter.ts";
import { entriesFrom, type Section, Sections, sectionSlots } from "./sections.ts";
import { Selection } from "./selection.ts";
import { checkShape, type CoderShape, mostAuxK, multiK, tensorSizes } from "./shape.ts";
import { SkipConnection } from "./skip_connection.ts";

/** Pre-activations kept at a time, in bytes: on a CPU they should stay in its cache. */
const PRE_ACTIVATION_BYTES = { texture: 16 * 2 ** 20, tile: 128 * 2 ** 20 };

/** Most tokens of a chunk: some drivers stop a thread's loops after 65,535 rounds. */
const MOST_CHUNK = 4096;

/** Most bytes of the bits that tell which tokens selected a latent. */
const MOST_LIST_BITS = 64 * 2 ** 20;

/** How a coder is trained, beside its shape. */
export interface CoderOptions {
  /** Most tokens of a batch. */
  readonly batchTokens: number;
  /**
   * Most tokens that gradients are summed over at once, a multiple of 64; by default what suits the
   * adapter.
   */
  readonly chunkTokens?: number;
  /** Most tokens of these whose pre-activations exist at a time, a multiple of 64; the same. */
  readonly pieceTokens?: number;
  /** Largest k of any step, where k decays; by default the shape's. */
  readonly mostK?: number;
  /** A latent is dead when it has not fired in more tokens than this, below 2^32. */
  readonly deadThreshold?: number;
  /** Batches whose losses are kept until they are read. */
  readonly mostBatches?: number;
  /**
   * The faults of sparsify 1.1.3 to 1.3.0 (spec A.1 [Q]): AuxK decodes with b_dec, AuxK and
   * Multi-TopK do not train the encoder, Multi-TopK decodes without the skip connection and decides
   * what has fired, slots that ReLU clipped pass gradients on and count as fired.
   */
  readonly compat?: "paper";
}

/** How one batch counts. */
export interface BatchOptions {
  /** Active latents per token; by default the shape's. */
  readonly k?: number;
  /** What the loss is multiplied by: 1 / (micro-batches of a step). Default 1. */
  readonly scale?: number;
}

/** A coder's parameters, their gradients, and all it takes to train them but an optimizer. */
export class TrainableCoder implements Disposable {
  /** In the order of the file; skip connections only where the shape has one. */
  readonly parameters: readonly Parameter[];
  /** Tokens whose gradients are summed at once. */
  readonly chunkTokens: number;
  /** Tokens whose pre-activations exist at a time. */
  readonly pieceTokens: number;
  readonly #gpu: Gpu;
  readonly #options: CoderOptions;
  readonly #owned = new DisposableStack();
  readonly #encoder: ChangingMatrix;
  readonly #skip: SkipConnection | undefined;
  readonly #sections: Sections;
  readonly #selection: Selection;
  readonly #lists: LatentLists;
  readonly #losses: BatchLosses;
  readonly #dead: DeadLatents;
  /** [piece, latents] */
  readonly #pre: OwnedRows;
  readonly #stagedDecoder: StagedMatrix;
  readonly #stagedResiduals: StagedRows;
  readonly #stagedInputs: StagedRows;
  /** [chunk, inputSize] what an autoencoder's encoder reads: x - b_dec. */
  readonly #centred: OwnedRows | undefined;
  /** [1, latents] gradient of the encoder's bias of one batch. */
  readonly #latentGradient: OwnedRows;
  /** [blocks of latents, inputSize] */
  readonly #inputGradients: OwnedRows | undefined;
  /** No latent has gone longer without firing. */
  #longestSilence = 0;

  /**
   * A coder of zeros: give it tensors next.
   *
   * @throws InputError for a shape that cannot be trained
   * @throws GpuError when it does not fit this adapter or the memory budget
   */
  constructor(gpu: Gpu, readonly shape: CoderShape, options: CoderOptions) {
    checkShape(shape);
    this.#gpu = gpu;
    this.#options = options;
    const { inputSize, latents, k, transcode } = shape;
    const { batchTokens, mostK = k, deadThreshold = 10_000_000, mostBatches = 1024 } = options;
    const chunk = options.chunkTokens ?? suitableChunk(gpu, shape, mostK, batchTokens);
    const piece = Math.min(chunk, options.pieceTokens ?? suitablePiece(gpu, latents));
    for (const tokens of [chunk, piece]) {
      if (tokens % 64 !== 0) throw new RangeError(`chunks of ${tokens} tokens are not whole 64s`);
    }
    this.chunkTokens = chunk;
    this.pieceTokens = piece;
    const rows = (label: string, count: number, width: number) =>
      this.#owned.use(allocateRows(gpu, label, count, width));
    this.parameters = tensorSizes(shape).map(([name, count, width]) => ({
      name,
      values: rows(name, count, width),
      gradient: rows(`gradient of ${name}`, count, width),
    }));
    const weight = this.#parameter("encoder.weight").values;
    prepareMatMul(gpu, piece, inputSize);
    this.#encoder = this.#owned.use(new ChangingMatrix(gpu, "encoder", weight));
    if (shape.skipConnection) {
      this.#skip = this.#owned.use(new SkipConnection(gpu, this.#parameter("W_skip"), chunk));
    }
    this.#sections = this.#owned.use(new Sections(gpu, shape, chunk, mostK));
    const slots = this.#sections.all.reduce((sum, section) => sum + section.mostK, 0);
    const parts = this.#sections.all.length;
    this.#lists = this.#owned.use(new LatentLists(gpu, latents, chunk, parts, slots));
    const usual = this.#sections.all.map(({ purpose }) => this.#slotsOf(purpose, k));
    const stride = strideOf(latents);
    this.#selection = this.#owned.use(new Selection(gpu, usual, piece, stride));
    this.#dead = this.#owned.use(new DeadLatents(gpu, latents, deadThreshold));
    this.#losses = this.#owned.use(
      new BatchLosses(gpu, shape, this.#dead.count, batchTokens, mostBatches),
    );
    this.#pre = rows("pre-activations", piece, latents);
    const staged = (label: string, rows: number) =>
      this.#owned.use(new StagedRows(gpu, `staged ${label}`, rows, inputSize));
    this.#stagedDecoder = this.#owned.use(
      new StagedMatrix(gpu, "staged decoder", latents, inputSize),
    );
    this.#stagedResiduals = staged("residuals", this.#sections.residuals.rows);
    this.#stagedInputs = staged("inputs", chunk);
    this.#latentGradient = rows("gradient of pre-activations", 1, latents);
    if (!transcode) {
      this.#centred = rows("centred inputs", chunk, inputSize);
      this.#inputGradients = rows("gradients of inputs", summedBlocks(latents), inputSize);
    }
  }

  /** Replaces the values of parameters; those that are not given stay. */
  setTensors(tensors: CoderTensors): void {
    for (const [name, values] of tensors) {
      writeRows(this.#gpu, this.#parameter(name).values, values);
    }
  }

  /** Reads the values of all parameters back, as they are now. */
  async tensors(): Promise<CoderTensors> {
    const tensors = new Map<ParameterName, Float32Array<ArrayBuffer>>();
    for (const { name, values } of this.parameters) {
      tensors.set(name, await readRows(this.#gpu, values));
    }
    return tensors;
  }

  /**
   * Records the data-dependent start of the biases, before the first batch: b_dec is the mean target,
   * and a transcoder's encoder centres its inputs.
   *
   * @param x [tokens, inputSize], y the same; an autoencoder's are the same rows
   */
  recordBiasStart(recorder: Recorder, x: Rows, y: Rows): void {
    const chunks = this.#chunksOf(x, y);
    const { values: outputBias } = this.#parameter("b_dec");
    if (this.shape.transcode) {
      const { values: encoderBias } = this.#parameter("encoder.bias");
      const mean = this.#losses.recordMean(recorder, x, chunks);
      this.#encoder.record(recorder);
      // b_dec holds -mean(x) for a moment.
      recordSumPartials(this.#gpu, recorder, mean, outputBias, { scale: -1 });
      recordMatMul(this.#gpu, recorder, outputBias, this.#encoder, encoderBias);
    }
    const mean = this.#losses.recordMean(recorder, y, chunks);
    recordSumPartials(this.#gpu, recorder, mean, outputBias, { scale: 1 });
  }

  /**
   * Records forward and backward of a batch: gradients are added to, latents that fire are noted,
   * and the losses are kept.
   *
   * @param x [tokens, inputSize] inputs, without the tokens that are left out
   * @param y [tokens, inputSize] targets; an autoencoder's are x
   */
  recordBatch(recorder: Recorder, x: Rows, y: Rows, options: BatchOptions = {}): void {
    const { k = this.shape.k, scale = 1 } = options;
    const sections = this.#sections.all.filter(({ purpose }) =>
      purpose !== "auxk" || this.#mayHaveDead
    );
    const { chunks, decoder } = this.#begin(recorder, x, y, scale);
    recorder.clear(this.#latentGradient.buffer);
    for (const chunk of chunks) {
      const inputs = rowsBetween(x, chunk.from, chunk.to);
      const targets = rowsBetween(y, chunk.from, chunk.to);
      const read = this.#select(recorder, sections, k, inputs);
      this.#decodeAll(recorder, sections, k, decoder, inputs, targets, chunk);
      this.#recordFired(recorder, chunk, k);
      this.#backward(recorder, sections, k, decoder, inputs, read);
    }
    this.#biasGradients(recorder, sections, x.rows);
    this.#losses.recordEnd(recorder, sections.map(({ purpose }) => purpose), x.rows);
  }

  /**
   * Records the FVU of a batch and nothing else: no gradients, nothing fires.
   *
   * @param x, y as of {@linkcode recordBatch}
   */
  recordEvaluation(recorder: Recorder, x: Rows, y: Rows, { k = this.shape.k } = {}): void {
    const sections = this.#sections.all.filter(({ purpose }) => purpose === "output");
    const { chunks, decoder } = this.#begin(recorder, x, y, 1);
    for (const chunk of chunks) {
      const inputs = rowsBetween(x, chunk.from, chunk.to);
      const targets = rowsBetween(y, chunk.from, chunk.to);
      this.#select(recorder, sections, k, inputs);
      this.#decodeAll(recorder, sections, k, decoder, inputs, targets, chunk);
    }
    this.#losses.recordEnd(recorder, ["output"], x.rows);
  }

  /** Records, before an optimizer's step: gradients of unit decoder rows lose what would lengthen them. */
  recordProjection(recorder: Recorder): void {
    if (!this.#unitDecoder) return;
    const { values, gradient } = this.#parameter("W_dec");
    recordProjectRows(this.#gpu, recorder, values, gradient);
  }

  /** Records, after an optimizer's step: all gradients are zero. */
  recordZeroGradients(recorder: Recorder): void {
    for (const { gradient } of this.parameters) recorder.clear(gradient.buffer);
  }

  /**
   * Records, after an optimizer's step: which latents are dead now.
   *
   * @param tokens of all batches of the step
   */
  recordAge(recorder: Recorder, tokens: number): void {
    this.#longestSilence += tokens;
    this.#dead.recordAge(recorder, tokens);
  }

  /** Reads the losses of all batches since the last call, in their order. */
  takeLosses(): Promise<Losses[]> {
    return this.#losses.take();
  }

  /** Reads, per latent, the tokens since it last fired, as of the last step. */
  tokensSinceFired(): Promise<Uint32Array<ArrayBuffer>> {
    return this.#dead.since();
  }

  /** Starts again from counts of {@linkcode tokensSinceFired}. */
  restoreSinceFired(since: Uint32Array<ArrayBuffer>): void {
    this.#longestSilence = since.reduce((most, count) => Math.max(most, count), 0);
    this.#dead.restore(since);
  }

  /** False where AuxK has surely nothing to do: known without asking the GPU. */
  get #mayHaveDead(): boolean {
    return this.#longestSilence > this.#dead.threshold;
  }

  get #unitDecoder(): boolean {
    return this.shape.normalizeDecoder && !this.shape.transcode;
  }

  #parameter(name: ParameterName): Parameter {
    const parameter = this.parameters.find((one) => one.name === name);
    if (!parameter) throw new RangeError(`this coder has no ${name}`);
    return parameter;
  }

  #slotsOf(purpose: Section["purpose"], k: number): number {
    if (purpose === "output") return k;
    return purpose === "auxk" ? mostAuxK(this.shape) : multiK(this.shape, k);
  }

  #chunksOf(x: Rows, y: Rows): Chunk[] {
    const { batchTokens } = this.#options;
    if (x.rows !== y.rows || x.rows < 1 || x.rows > batchTokens) {
      throw new RangeError(
        `${x.rows} inputs and ${y.rows} targets for batches of up to ${batchTokens} tokens`,
      );
    }
    const step = this.chunkTokens;
    return Array.from({ length: Math.ceil(x.rows / step) }, (_, i) => ({
      from: i * step,
      to: Math.min(x.rows, (i + 1) * step),
    }));
  }

  /** Records what comes before the chunks of a batch. */
  #begin(
    recorder: Recorder,
    x: Rows,
    y: Rows,
    scale: number,
  ): { chunks: Chunk[]; decoder: readonly StagedRange[] } {
    const chunks = this.#chunksOf(x, y);
    const { values: weights } = this.#parameter("W_dec");
    if (this.#unitDecoder) recordNormaliseRows(this.#gpu, recorder, weights);
    const decoder = this.#stagedDecoder.record(recorder, weights);
    this.#encoder.record(recorder);
    this.#skip?.recordRefresh(recorder);
    this.#losses.recordTargets(recorder, y, chunks, scale);
    return { chunks, decoder };
  }

  /** Records which latents each part of the loss selects; returns what the encoder read. */
  #select(recorder: Recorder, sections: readonly Section[], k: number, x: Rows): Rows {
    const gpu = this.#gpu;
    let read = x;
    if (this.#centred) {
      read = rowsBetween(this.#centred, 0, x.rows);
      recordSaeInput(gpu, recorder, "none", x, this.#parameter("b_dec").values.buffer, read);
    }
    const bias = this.#parameter("encoder.bias").values.buffer;
    for (let from = 0; from < x.rows; from += this.pieceTokens) {
      const to = Math.min(x.rows, from + this.pieceTokens);
      const pre = rowsBetween(this.#pre, 0, to - from);
      const piece = rowsBetween(read, from, to);
      recordMatMul(gpu, recorder, piece, this.#encoder, pre, { bias, relu: true });
      this.#selectFrom(recorder, sections, k, pre, from);
    }
    return read;
  }

  /** Records the residuals of each part of the loss. */
  #decodeAll(
    recorder: Recorder,
    sections: readonly Section[],
    k: number,
    decoder: readonly StagedRange[],
    x: Rows,
    y: Rows,
    chunk: Chunk,
  ): void {
    const skipped = this.#skip?.recordForward(recorder, x);
    for (const section of sections) {
      const residuals = this.#sections.residualsOf(section, x.rows);
      const slots = this.#slotsOf(section.purpose, k);
      const grouped = section.purpose === "output" && this.shape.activation === "groupmax";
      const sorted = !grouped && this.#selection.sorts(slots);
      const base = { ...this.#baseOf(section, y, skipped), sorted };
      const { residuals: matrix } = this.#sections;
      const into = { matrix, first: section.firstResidual, tokens: x.rows };
      recordDecodeTopK(this.#gpu, recorder, section, slots, decoder, into, base);
      this.#losses.recordResiduals(recorder, section.purpose, residuals, chunk);
    }
  }

  /** Records what is selected among pre-activations of tokens from `token` on. */
  #selectFrom(
    recorder: Recorder,
    sections: readonly Section[],
    k: number,
    pre: Rows,
    token: number,
  ): void {
    // AuxK last: activations of the living are no more after it.
    const order = (["output", "multiTopk", "auxk"] as const).flatMap((purpose) =>
      sections.filter((section) => section.purpose === purpose)
    );
    for (const section of order) {
      const { purpose } = section;
      const slots = this.#slotsOf(purpose, k);
      const entries = entriesFrom(section, token, slots);
      if (purpose === "output" && this.shape.activation === "groupmax") {
        recordGroupMax(this.#gpu, recorder, pre, slots, entries);
        continue;
      }
      // Where fewer are dead than AuxK selects, what is selected beside them is 0 and gives nothing.
      if (purpose === "auxk") recordScale(this.#gpu, recorder, pre, bindRows(this.#dead.mask));
      this.#selection.record(recorder, pre, slots, entries);
    }
  }

  /** What a part of the loss decodes onto, so that the residual (output - target) is left. */
  #baseOf({ purpose }: Section, target: Rows, skipped: Rows | undefined): DecodeBase {
    const paper = this.#options.compat === "paper";
    const bias = this.#parameter("b_dec").values;
    if (purpose === "auxk") {
      // Its target is target - output, which is minus the residual of the output.
      const [output] = this.#sections.all;
      return { own: output.firstResidual, bias: paper ? bias : undefined };
    }
    const withoutSkip = purpose === "multiTopk" && paper;
    return { start: withoutSkip ? undefined : skipped, bias, target };
  }

  #recordFired(recorder: Recorder, { from, to }: Chunk, k: number): void {
    const paper = this.#options.compat === "paper";
    const [output] = this.#sections.all;
    const section = paper ? this.#sections.of("multiTopk") ?? output : output;
    const slots = (to - from) * this.#slotsOf(section.purpose, k);
    this.#dead.recordFired(recorder, section, slots, paper);
  }

  /** Records what a chunk adds to gradients, but for b_dec, whose sums are over the batch. */
  #backward(
    recorder: Recorder,
    sections: readonly Section[],
    k: number,
    decoder: readonly StagedRange[],
    x: Rows,
    read: Rows,
  ): void {
    const gpu = this.#gpu;
    const paper = this.#options.compat === "paper";
    const { factors } = this.#losses;
    const residuals = this.#stagedResiduals.record(recorder, this.#sections.residuals);
    const quads = x.stride / 4;
    const lists = sections.map((section) => {
      const { purpose, factor, section: number, indices, slots, firstResidual } = section;
      const own = this.#slotsOf(purpose, k);
      const tokens = { ...section, tokens: x.rows, k: own };
      recordSlotGradients(gpu, recorder, tokens, residuals, decoder, quads, {
        factors,
        factor,
        encoder: purpose === "output" || !paper,
        clipped: purpose === "output" && paper,
      });
      return { section: number, k: own, indices, slots, residuals: firstResidual };
    });
    this.#lists.record(recorder, x.rows, lists);
    const inputs = this.#stagedInputs.record(recorder, read);
    recordLatentGradients(gpu, recorder, this.#lists, residuals, inputs, {
      decoder: this.#parameter("W_dec").gradient,
      encoder: this.#parameter("encoder.weight").gradient,
      bias: this.#latentGradient,
    });
    const throughSkip = sections.filter(({ purpose }) =>
      purpose === "output" || (purpose === "multiTopk" && !paper)
    );
    const scaled = throughSkip.map((section) => ({
      residuals: this.#sections.residualsOf(section, x.rows),
      factor: { values: factors, at: section.factor },
    }));
    this.#skip?.recordBackward(recorder, x, scaled);
  }

  /** Records what the whole batch adds to the gradients of both biases. */
  #biasGradients(recorder: Recorder, sections: readonly Section[], tokens: number): void {
    const gpu = this.#gpu;
    recordAdd(gpu, recorder, this.#parameter("encoder.bias").gradient, this.#latentGradient);
    const { gradient } = this.#parameter("b_dec");
    for (const { purpose } of sections) {
      // Fixed, AuxK decodes without the bias.
      if (purpose === "auxk" && this.#options.compat !== "paper") continue;
      this.#losses.recordBiasGradient(recorder, purpose, tokens, gradient);
    }
    const partial = this.#inputGradients;
    if (!partial) return;
    // An autoencoder subtracts b_dec from what it reads: minus the sum of dx' = W_encᵀ dpre.
    const weight = bindRows(this.#latentGradient);
    for (const { first, rows } of this.#encoder.shards) {
      const part = rowsBetween(this.#parameter("encoder.weight").values, first, first + rows);
      const own = { ...weight, offset: first * 4, size: undefined };
      recordColumnSums(gpu, recorder, part, { sums: partial, weight: own }, first / 64);
    }
    recordSumPartials(gpu, recorder, partial, gradient, { scale: -1, add: true });
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Tokens whose pre-activations exist at a time: as many as suit the adapter, in whole 64s. */
function suitablePiece(gpu: Gpu, latents: number): number {
  const binding = gpu.limits.maxStorageBufferBindingSize;
  const bytes = Math.min(PRE_ACTIVATION_BYTES[gpu.identity.family], binding);
  return wholeBlocks(bytes / (strideOf(latents) * 4));
}

/**
 * Tokens whose gradients are summed at once, in whole 64s. Gradients are read and written once per
 * chunk, so there should be few; what is kept of a chunk has to fit bindings.
 */
function suitableChunk(
  { limits }: Gpu,
  shape: CoderShape,
  mostK: number,
  batchTokens: number,
): number {
  const binding = limits.maxStorageBufferBindingSize;
  const parts = sectionSlots(shape, mostK);
  const slots = parts.reduce((sum, [, k]) => sum + k, 0);
  const most = Math.min(
    MOST_CHUNK,
    binding / (parts.length * strideOf(shape.inputSize) * 4),
    binding / (slots * 16),
    8 * Math.min(binding, MOST_LIST_BITS) / (parts.length * shape.latents),
  );
  return Math.min(wholeBlocks(most), Math.ceil(batchTokens / 64) * 64);
}

/** As many whole 64s as there are, one at least. */
function wholeBlocks(tokens: number): number {
  return Math.max(64, Math.floor(tokens / 64) * 64);
}
