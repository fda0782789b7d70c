/** Cosines and sines of rotary embeddings, rounded where PyTorch rounds so that they equal its own. */
import type { LlamaConfig, RopeScaling } from "./config.ts";

const { fround } = Math;

/**
 * Inverse frequencies θ^(-2i/d), i < d/2, in f32 and after scaling.
 *
 * llama3 scaling keeps high frequencies, divides low ones by `factor` and blends in between
 * (Llama 3.1; transformers' `rope_utils`).
 */
export function inverseFrequencies(config: LlamaConfig): Float32Array<ArrayBuffer> {
  const { headDim, ropeTheta, ropeScaling } = config;
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const plain = fround(1 / fround(ropeTheta ** fround(fround(2 * i) / headDim)));
    return scaled(plain, ropeScaling, i);
  });
}

function scaled(frequency: number, scaling: RopeScaling, index: number): number {
  if (scaling.type === "none") return frequency;
  if (scaling.type === "divisors") return frequency / scaling.divisors[index];
  if (scaling.type === "linear") return frequency / scaling.factor;
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = scaling;
  const wavelength = fround(2 * Math.PI / frequency);
  if (wavelength < originalContext / highFrequencyFactor) return frequency;
  if (wavelength > originalContext / lowFrequencyFactor) return frequency / factor;
  const range = highFrequencyFactor - lowFrequencyFactor;
  const blend = (originalContext / wavelength - lowFrequencyFactor) / range;
  return (1 - blend) * frequency / factor + blend * frequency;
}

/** (cos, sin) pairs for positions 0 … positions - 1: `[positions, headDim / 2, 2]`. */
export function ropeTable(config: LlamaConfig, positions: number): Float32Array<ArrayBuffer> {
  const frequencies = inverseFrequencies(config);
  const half = frequencies.length;
  const table = new Float32Array(positions * half * 2);
  for (let position = 0; position < positions; position++) {
    frequencies.forEach((frequency, i) => {
      const angle = fround(position * frequency);
      table[(position * half + i) * 2] = Math.cos(angle);
      table[(position * half + i) * 2 + 1] = Math.sin(angle);
    });
  }
  return table;
}
