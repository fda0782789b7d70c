/** What SAEs make of rows on the GPU, and which latents fire. */
import type { Gpu } from "../../gpu/device.ts";
import { recordDecodeTopK } from "../../gpu/decode_topk.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { allocateRows, readRows, type Rows, rowsBetween, writeRows } from "../../gpu/rows.ts";
import { StagedMatrix, type StagedRange } from "../../gpu/staged_rows.ts";
import type { WeightStore } from "../../gpu/weight_store.ts";
import { allocateEntries, type OwnedEntries, readEntries, SaeEncoder } from "../../sae/encoder.ts";
import { type DecodableTarget, reconstruct, Reconstruction } from "../../sae/fidelity.ts";
import type { Decoder } from "../../sae/sae.ts";
import { Skip } from "../../sae/skip.ts";

type DecodableSae = DecodableTarget["sae"];

/** Latents that fired on some rows. */
export interface Fired {
  /** On all rows together. */
  readonly active: number;
  readonly latents: Iterable<number>;
}

/** Reconstructs rows with one SAE; owns the memory that takes. */
export interface Reconstructor extends Disposable {
  /**
   * Records y = SAE(x), and may submit and wait on the way. Rows of a transcoder are what its module reads.
   *
   * @param x [rows, inputSize], y the same
   */
  run(recorder: Recorder, x: Rows, y: Rows): Promise<void>;
  /** What fired in the last run, once it is submitted. */
  fired(): Promise<Fired>;
}

/**
 * The fastest way for an SAE: TopK without normalisation decodes on the GPU.
 *
 * @param rows most rows of a run
 */
export async function openReconstructor(
  gpu: Gpu,
  store: WeightStore,
  sae: DecodableSae,
  rows: number,
): Promise<Reconstructor> {
  const { activation, normalisation } = sae;
  using undo = new DisposableStack();
  const encoder = undo.use(new SaeEncoder(gpu, store, [sae], rows));
  // SAEs with a skip connection are sparsify's: TopK without normalisation.
  if (activation.kind !== "topk" || normalisation !== "none") {
    const reconstructor = new HostReconstructor(gpu, encoder, sae);
    undo.move();
    return reconstructor;
  }
  const entries = undo.use(allocateEntries(gpu, rows, activation.k));
  const matrix = undo.use(allocateRows(gpu, "SAE decoder", sae.latents, sae.inputSize));
  const staged = undo.use(new StagedMatrix(gpu, "staged decoder", sae.latents, sae.inputSize));
  const bias = undo.use(allocateRows(gpu, "SAE decoder bias", 1, sae.inputSize));
  await upload(gpu, sae.decoder, matrix);
  writeRows(gpu, bias, sae.decoder.bias);
  const skip = await Skip.of(gpu, sae, rows);
  if (skip) undo.use(skip);
  const recorder = gpu.recorder();
  const decoder = staged.record(recorder, matrix);
  recorder.submit();
  return new TopKReconstructor(gpu, encoder, sae, entries, decoder, bias, skip, undo.move());
}

/** Bytes of decoder rows that are read at a time. */
const READ_BYTES = 32 * 2 ** 20;

async function upload(gpu: Gpu, decoder: Decoder, matrix: Rows): Promise<void> {
  const step = Math.max(1, Math.floor(READ_BYTES / (matrix.width * 4)));
  for (let from = 0; from < matrix.rows; from += step) {
    const to = Math.min(matrix.rows, from + step);
    const latents = Array.from({ length: to - from }, (_, i) => from + i);
    writeRows(gpu, rowsBetween(matrix, from, to), await decoder.rows(latents));
  }
}

class TopKReconstructor implements Reconstructor {
  #rows = 0;

  constructor(
    readonly gpu: Gpu,
    readonly encoder: SaeEncoder,
    readonly sae: DecodableSae,
    readonly entries: OwnedEntries,
    readonly decoder: readonly StagedRange[],
    readonly bias: Rows,
    readonly skip: Skip | undefined,
    readonly owned: DisposableStack,
  ) {}

  async run(recorder: Recorder, x: Rows, y: Rows): Promise<void> {
    this.#rows = x.rows;
    await this.encoder.encode(recorder, this.sae, x, this.entries);
    const into = { matrix: y, first: 0, tokens: x.rows };
    const { activation } = this.sae;
    const sorted = activation.kind === "topk" && !activation.grouped;
    const base = { start: this.skip?.record(recorder, x), bias: this.bias, sorted };
    const { gpu, entries, decoder } = this;
    recordDecodeTopK(gpu, recorder, entries, entries.k, decoder, into, base);
  }

  async fired(): Promise<Fired> {
    const { values, indices } = await readEntries(this.gpu, this.entries, this.#rows);
    const fired = indices.filter((_, slot) => values[slot] > 0);
    return { active: fired.length, latents: fired };
  }

  [Symbol.dispose](): void {
    this.owned[Symbol.dispose]();
  }
}

/** Any SAE: decodes in f64 on the host. */
class HostReconstructor implements Reconstructor {
  #fired: Fired = { active: 0, latents: [] };

  constructor(readonly gpu: Gpu, readonly encoder: SaeEncoder, readonly sae: DecodableSae) {}

  async run(recorder: Recorder, x: Rows, y: Rows): Promise<void> {
    const { gpu, encoder, sae } = this;
    recorder.submit();
    // No row is the first of a text here: all count.
    const positions = new Uint32Array(x.rows).fill(1);
    const reconstruction = new Reconstruction(sae, await readRows(gpu, x), positions);
    await reconstruct(gpu, encoder, recorder, sae, x, reconstruction);
    writeRows(gpu, y, reconstruction.rows());
    this.#fired = { active: reconstruction.active, latents: reconstruction.latents };
  }

  fired(): Promise<Fired> {
    return Promise.resolve(this.#fired);
  }

  [Symbol.dispose](): void {
    this.encoder[Symbol.dispose]();
  }
}
