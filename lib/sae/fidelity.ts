/**
 * How well SAEs reconstruct the activations they are put at, on a few tokens.
 *
 * Encoding runs on the GPU as it does when counting; what fired is read back, and decoding and sums
 * run in f64 on the CPU, from the decoder rows that fired and no others.
 */
import type { Gpu } from "../gpu/device.ts";
import { readRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { pack } from "../nn/batch.ts";
import type { Hookpoint } from "../nn/hookpoints.ts";
import type { Llama } from "../nn/llama.ts";
import { allocateEntries, readEntries, SaeEncoder } from "./encoder.ts";
import type { Decoder, Normalisation, Sae } from "./sae.ts";
import { SaeRows } from "./sae_rows.ts";
import { Skip } from "./skip.ts";

/** What an SAE makes of the tokens of a sample, x̂ being what it gives for x (a transcoder: for its module's output). */
export interface Fidelity {
  /** Tokens measured. */
  readonly tokens: number;
  /** L0: mean number of active latents per token. */
  readonly activeLatents: number;
  /** Fraction of variance unexplained: Σ|x - x̂|² / Σ|x - mean(x)|² over the tokens. */
  readonly unexplained: number;
  /** Mean |x|. */
  readonly activationNorm: number;
  /** Mean |x̂|. */
  readonly reconstructionNorm: number;
  /** Mean cosine of the angle between x and x̂. */
  readonly cosine: number;
}

/** An SAE with a decoder, and where its activations come from. */
export interface DecodableTarget {
  readonly hookpoint: Hookpoint;
  readonly sae: Sae & { readonly decoder: Decoder };
}

/** Tokens that are measured at most; their mean and variance are then known well enough. */
const SAMPLE_TOKENS = 128;

/** Bytes of activations that one readback brings; a single row may take more. */
const READ_BYTES = 4 * 2 ** 20;

/** Bytes of decoder rows that are held at a time. */
const DECODER_BYTES = 32 * 2 ** 20;

/**
 * Texts, the last one cut short, with up to 128 tokens that are not the first of their text. First
 * tokens carry the BOS: SAEs are not trained on it, and its norm dwarfs those of all others.
 */
export function sampleOf(texts: Iterable<Uint32Array>): Uint32Array<ArrayBuffer>[] {
  const sample: Uint32Array<ArrayBuffer>[] = [];
  let missing = SAMPLE_TOKENS;
  for (const ids of texts) {
    if (missing === 0) break;
    if (ids.length < 2) continue;
    const text = ids.slice(0, missing + 1);
    sample.push(text);
    missing -= text.length - 1;
  }
  return sample;
}

/**
 * Runs a sample through a model and measures every target on it.
 *
 * @param sample see {@linkcode sampleOf}; without tokens to measure all figures are NaN
 * @returns in the order of the targets
 */
export async function measureFidelity(
  gpu: Gpu,
  llama: Llama,
  store: WeightStore,
  targets: readonly DecodableTarget[],
  sample: readonly Uint32Array[],
): Promise<Fidelity[]> {
  const batch = pack(sample);
  llama.prepare(batch.ids.length);
  const saes = targets.map(({ sae }) => sae);
  using encoder = new SaeEncoder(gpu, store, saes, batch.ids.length);
  using rows = new SaeRows(gpu, saes, batch.ids.length);
  store.reserve("fidelity", readBytes(targets, batch.ids.length));
  const measured = new Map<DecodableTarget, Fidelity>();
  const hooks = targets.map((target) =>
    rows.hook(target, async (recorder, x, y) => {
      const { sae } = target;
      using skip = await Skip.of(gpu, sae, x.rows);
      const skipped = skip?.record(recorder, x);
      recorder.submit();
      const added = skipped && await readRows(gpu, skipped);
      const reconstruction = new Reconstruction(
        sae,
        await readRows(gpu, y),
        batch.positions,
        added,
      );
      await reconstruct(gpu, encoder, recorder, sae, x, reconstruction);
      measured.set(target, reconstruction.fidelity());
    })
  );
  await llama.forward(batch, hooks);
  await gpu.settle();
  return targets.flatMap((target) => measured.get(target) ?? []);
}

/** GPU memory that one target takes beside the encoder while weights are on loan. */
function readBytes(targets: readonly DecodableTarget[], tokens: number): number {
  const each = targets.map(({ sae: { inputSize, activation } }) =>
    Math.max(tokens * inputSize * 4, READ_BYTES) +
    ("k" in activation ? 3 * tokens * activation.k * 4 : 0)
  );
  return Math.max(0, ...each);
}

/** Encodes activations with an SAE and decodes what fires. */
export async function reconstruct(
  gpu: Gpu,
  encoder: SaeEncoder,
  recorder: Recorder,
  sae: Sae,
  x: Rows,
  reconstruction: Reconstruction,
): Promise<void> {
  const { activation } = sae;
  if (activation.kind === "topk") {
    const { k } = activation;
    using entries = allocateEntries(gpu, x.rows, k);
    await encoder.encode(recorder, sae, x, entries);
    const { values, indices } = await readEntries(gpu, entries, x.rows);
    await reconstruction.add(activeAmong(values, (slot) => [Math.floor(slot / k), indices[slot]]));
    return;
  }
  await encoder.encodeDense(recorder, sae, x, async ({ values, latent, token }) => {
    recorder.submit();
    const step = Math.max(1, Math.floor(READ_BYTES / (values.stride * 4)));
    for (let from = 0; from < values.rows; from += step) {
      const rows = rowsBetween(values, from, Math.min(values.rows, from + step));
      const place = (at: number): [number, number] => [
        token + from + Math.floor(at / rows.width),
        latent + at % rows.width,
      ];
      await reconstruction.add(activeAmong(await readRows(gpu, rows), place));
    }
  });
}

/** One active latent on one token. */
interface Active {
  readonly token: number;
  readonly latent: number;
  readonly value: number;
}

function activeAmong(
  values: Float32Array,
  place: (at: number) => [token: number, latent: number],
): Active[] {
  const active: Active[] = [];
  for (let at = 0; at < values.length; at++) {
    if (!(values[at] > 0)) continue;
    const [token, latent] = place(at);
    active.push({ token, latent, value: values[at] });
  }
  return active;
}

/** Adds up what an SAE makes of the activations of a batch; first tokens of texts are left out. */
export class Reconstruction {
  readonly #decoder: Decoder;
  readonly #normalisation: Normalisation;
  readonly #width: number;
  readonly #x: Float32Array;
  /** Tokens that are measured. */
  readonly #tokens: readonly number[];
  readonly #measured: readonly boolean[];
  /** Σ f_i W_dec[i] of every token, and what it started from; [tokens, width]. */
  readonly #decoded: Float64Array;
  /** Latents that are active on any token. */
  readonly latents = new Set<number>();
  #active = 0;

  /**
   * @param x [tokens, inputSize] what is to be reconstructed
   * @param positions of the tokens in their texts
   * @param added [tokens, inputSize] what is added to what is decoded: a skip connection's
   */
  constructor(
    { decoder, inputSize, normalisation }: DecodableTarget["sae"],
    x: Float32Array,
    positions: Uint32Array,
    added?: Float32Array,
  ) {
    this.#decoder = decoder;
    this.#normalisation = normalisation;
    this.#width = inputSize;
    this.#x = x;
    this.#measured = Array.from(positions, (position) => position > 0);
    this.#tokens = [...positions.keys()].filter((token) => positions[token] > 0);
    this.#decoded = added ? Float64Array.from(added) : new Float64Array(x.length);
  }

  /** Decodes some active latents; every one is added once. */
  async add(all: readonly Active[]): Promise<void> {
    const active = all.filter(({ token }) => this.#measured[token]);
    this.#active += active.length;
    const width = this.#width;
    const latents = [...new Set(active.map(({ latent }) => latent))].sort((a, b) => a - b);
    for (const latent of latents) this.latents.add(latent);
    const step = Math.max(1, Math.floor(DECODER_BYTES / (width * 4)));
    for (let from = 0; from < latents.length; from += step) {
      const some = latents.slice(from, from + step);
      const rows = await this.#decoder.rows(some);
      const places = new Map(some.map((latent, i) => [latent, i * width]));
      for (const { token, latent, value } of active) {
        const row = places.get(latent);
        if (row === undefined) continue;
        const to = token * width;
        for (let d = 0; d < width; d++) this.#decoded[to + d] += value * rows[row + d];
      }
    }
  }

  /** Active latents of all tokens together. */
  get active(): number {
    return this.#active;
  }

  /** x̂ of all tokens, [tokens, inputSize]; that of tokens that are left out is b_dec. */
  rows(): Float32Array<ArrayBuffer> {
    const width = this.#width;
    const rows = new Float32Array(this.#x.length);
    for (let token = 0; token < rows.length / width; token++) {
      rows.set(this.#reconstructed(token, this.#activation(token)), token * width);
    }
    return rows;
  }

  /** The figures of all that has been added. */
  fidelity(): Fidelity {
    const tokens = this.#tokens.length;
    const mean = this.#mean();
    let [error, variance, norms, reconstructedNorms, cosines] = [0, 0, 0, 0, 0];
    for (const token of this.#tokens) {
      const x = this.#activation(token);
      const y = this.#reconstructed(token, x);
      error += squaredDistance(x, y);
      variance += squaredDistance(x, mean);
      const [xNorm, yNorm] = [Math.sqrt(dot(x, x)), Math.sqrt(dot(y, y))];
      norms += xNorm;
      reconstructedNorms += yNorm;
      cosines += xNorm * yNorm === 0 ? 0 : dot(x, y) / (xNorm * yNorm);
    }
    return {
      tokens,
      activeLatents: this.#active / tokens,
      unexplained: error / variance,
      activationNorm: norms / tokens,
      reconstructionNorm: reconstructedNorms / tokens,
      cosine: cosines / tokens,
    };
  }

  #activation(token: number): Float64Array {
    return Float64Array.from(this.#x.subarray(token * this.#width, (token + 1) * this.#width));
  }

  #mean(): Float64Array {
    const mean = new Float64Array(this.#width);
    for (const token of this.#tokens) {
      for (let d = 0; d < mean.length; d++) {
        mean[d] += this.#x[token * this.#width + d] / this.#tokens.length;
      }
    }
    return mean;
  }

  /** x̂ of a token: y' with the normalisation of x undone. */
  #reconstructed(token: number, x: Float64Array): Float64Array {
    const { shift, scale } = undoing(this.#normalisation, x);
    const { bias } = this.#decoder;
    return x.map((_, d) => (this.#decoded[token * this.#width + d] + bias[d]) * scale + shift);
  }
}

/** y = y' scale + shift undoes a normalisation, as the authors of SAELens do: without the 1e-5. */
function undoing(normalisation: Normalisation, x: Float64Array): { shift: number; scale: number } {
  if (normalisation === "none") return { shift: 0, scale: 1 };
  if (normalisation === "constant_norm_rescale") {
    return { shift: 0, scale: Math.sqrt(dot(x, x) / x.length) };
  }
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const squares = x.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { shift: mean, scale: Math.sqrt(squares / (x.length - 1)) };
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, d) => sum + value * b[d], 0);
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, d) => sum + (value - b[d]) ** 2, 0);
}
