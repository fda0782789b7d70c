/** What an SAE computes, in plain f64 on the CPU, from the formulas of lib/sae/sae.ts alone. */
import { toFloat32 } from "../../lib/formats/dtype.ts";
import type { Sae } from "../../lib/sae/sae.ts";

const DTYPES = { f32: "F32", f16: "F16", bf16: "BF16" } as const;

/** What an SAE makes of activation vectors. */
export interface SaeReference {
  /** f [tokens, latents]; 0 where a latent is not active */
  readonly features: Float64Array;
  /** y [tokens, inputSize]; absent for encoders alone */
  readonly reconstruction?: Float64Array;
}

/** Features and reconstruction of `x` [tokens, inputSize]. */
export async function saeReference(sae: Sae, x: ArrayLike<number>): Promise<SaeReference> {
  const { inputSize, latents, encoder, decoder } = sae;
  const tokens = x.length / inputSize;
  const encoderRows = toFloat32(await encoder.read(0, latents), DTYPES[encoder.type]);
  const decoderRows = await decoder?.rows(Array.from({ length: latents }, (_, i) => i));
  const features = new Float64Array(tokens * latents);
  const reconstruction = new Float64Array(tokens * inputSize);
  for (let t = 0; t < tokens; t++) {
    const token = Array.from({ length: inputSize }, (_, d) => x[t * inputSize + d]);
    const { normalised, undo } = normalise(sae, token);
    const f = activate(sae, preActivations(sae, encoderRows, normalised));
    features.set(f, t * latents);
    if (!decoder || !decoderRows) continue;
    const y = decode(f, decoderRows, decoder.bias, inputSize);
    reconstruction.set(y.map(undo), t * inputSize);
  }
  return { features, reconstruction: decoder && reconstruction };
}

function normalise({ normalisation, inputSize }: Sae, x: number[]) {
  const [shift, scale] = shiftAndScale();
  return {
    normalised: x.map((value) => (value - shift) * scale.in),
    undo: (value: number) => value * scale.out + shift,
  };

  function shiftAndScale(): [number, { in: number; out: number }] {
    if (normalisation === "none") return [0, { in: 1, out: 1 }];
    if (normalisation === "constant_norm_rescale") {
      const scale = Math.sqrt(inputSize) / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
      return [0, { in: scale, out: 1 / scale }];
    }
    const mean = x.reduce((sum, v) => sum + v, 0) / inputSize;
    const squares = x.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    const deviation = Math.sqrt(squares / (inputSize - 1));
    // The authors' way back leaves the 1e-5 out.
    return [mean, { in: 1 / (deviation + 1e-5), out: deviation }];
  }
}

function preActivations(sae: Sae, encoderRows: Float32Array, x: number[]): number[] {
  const { inputSize, latents, inputBias, encoderBias, latentScale } = sae;
  return Array.from({ length: latents }, (_, i) => {
    let sum = encoderBias[i];
    for (let d = 0; d < inputSize; d++) {
      sum += encoderRows[i * inputSize + d] * (x[d] - inputBias[d]);
    }
    return sum * (latentScale?.[i] ?? 1);
  });
}

function activate({ activation }: Sae, a: number[]): number[] {
  if (activation.kind === "threshold") {
    return a.map((value, i) => value > Math.max(0, activation.thresholds[i]) ? value : 0);
  }
  const positive = a.map((value) => Math.max(0, value));
  const order = positive.map((_, i) => i).sort((i, j) => positive[j] - positive[i] || i - j);
  const kept = new Set(order.slice(0, activation.k));
  return positive.map((value, i) => kept.has(i) ? value : 0);
}

function decode(f: number[], rows: Float32Array, bias: Float32Array, inputSize: number): number[] {
  return Array.from({ length: inputSize }, (_, d) => {
    let sum = bias[d];
    for (let i = 0; i < f.length; i++) sum += f[i] * rows[i * inputSize + d];
    return sum;
  });
}
