/** SAE encoding as a workload: TopK(ReLU((x - b_dec) W_encᵀ + b_enc)) with all weights on the GPU. */
import type { Gpu } from "../lib/gpu/device.ts";
import { allocateRows, writeRows } from "../lib/gpu/rows.ts";
import { WeightStore } from "../lib/gpu/weight_store.ts";
import { allocateEntries, readEntries, SaeEncoder } from "../lib/sae/encoder.ts";
import type { Sae } from "../lib/sae/sae.ts";
import { allRows, dot, type MeasuredType, seededMatrix } from "./seeded_matrix.ts";
import { type Workload, WrongResult } from "./workload.ts";

export interface EncodeShape {
  readonly tokens: number;
  /** Width of the activations; here a multiple of 64. */
  readonly columns: number;
  /** A multiple of 64. */
  readonly latents: number;
  readonly k: number;
}

/** Multiplications that a check may spend on its reference: about a second. */
const CHECK_PRODUCTS = 2 ** 28;

/** Pre-activations have standard deviation √(2 / columns); f32 errs by 1e-6 of it. */
const TOLERANCE = 1e-5;

/** A random SAE and its input; the encoder moves to the GPU at its first use. */
export function encode(
  gpu: Gpu,
  shape: EncodeShape,
  type: MeasuredType,
): Workload {
  const { tokens, columns, latents, k } = shape;
  const x = seededMatrix("x", "f32", tokens, columns, 0);
  const sae = randomSae(shape, type);
  using stack = new DisposableStack();
  const store = stack.use(new WeightStore(gpu));
  const encoder = stack.use(new SaeEncoder(gpu, store, [sae], tokens));
  const input = stack.use(allocateRows(gpu, "x", tokens, columns));
  const entries = stack.use(allocateEntries(gpu, tokens, k));
  writeRows(gpu, input, allRows(x));
  const owned = stack.move();
  return {
    name: `SAE encode + TopK ${k}, ${tokens} × ${columns}→${latents}, ${type}`,
    flops: 2 * tokens * columns * latents,
    task: { task: "encode", ...shape },
    record: (recorder) => encoder.encode(recorder, sae, input, entries),
    check: async () => {
      const { values, indices } = await readEntries(gpu, entries, tokens);
      for (const token of sampledTokens(shape)) {
        const slots = [token * k, (token + 1) * k];
        const exact = activations(sae, x.row(token));
        checkTopK(values.subarray(...slots), indices.subarray(...slots), exact);
      }
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

interface SeededSae extends Sae {
  readonly encoder: ReturnType<typeof seededMatrix>;
}

function randomSae({ tokens, columns, latents, k }: EncodeShape, type: MeasuredType): SeededSae {
  return {
    where: "random SAE",
    inputSize: columns,
    latents,
    normalisation: "none",
    activation: { kind: "topk", k },
    encoder: seededMatrix("W_enc", type, latents, columns, tokens),
    encoderBias: seededMatrix("b_enc", "f32", 1, latents, -2).row(0),
    inputBias: seededMatrix("b_dec", "f32", 1, columns, -1).row(0),
  };
}

/** All activations of one token, in f64. */
function activations(sae: SeededSae, x: Float32Array): Float64Array {
  const centered = x.map((value, i) => value - sae.inputBias[i]);
  return Float64Array.from(
    sae.encoderBias,
    (bias, latent) => Math.max(0, dot(centered, sae.encoder.row(latent)) + bias),
  );
}

/** Tokens spread over the block, the last among them, as many as a check can afford. */
function sampledTokens({ tokens, columns, latents }: EncodeShape): number[] {
  const affordable = Math.floor(CHECK_PRODUCTS / (columns * latents));
  const count = Math.max(1, Math.min(tokens, affordable));
  return Array.from({ length: count }, (_, i) => Math.floor((i + 1) * tokens / count) - 1);
}

/**
 * Compares one token's entries with its exact activations. Latents within f32 error of the k-th
 * value may stand for one another.
 */
export function checkTopK(
  values: Float32Array,
  indices: Uint32Array,
  exact: Float64Array,
): void {
  const least = exact.toSorted((a, b) => b - a)[values.length - 1];
  if (new Set(indices).size !== indices.length) throw new WrongResult("a latent is found twice");
  indices.forEach((latent, slot) => {
    const [value, expected] = [values[slot], exact[latent]];
    if (!(Math.abs(value - expected) <= TOLERANCE)) {
      throw new WrongResult(`latent ${latent} is ${value}, expected ${expected}`);
    }
    if (expected < least - TOLERANCE) {
      throw new WrongResult(`latent ${latent} (${expected}) is below the k-th value, ${least}`);
    }
  });
}
