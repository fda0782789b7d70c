/** Small tensor files in memory. */
import { encodeSafetensors, fromBytes, type Tensor } from "../../lib/formats/safetensors.ts";
import type { TensorSource } from "../../lib/formats/tensor_source.ts";

/** An f32 tensor of a shape; its values count up from 0 unless given. */
export function f32(shape: readonly number[], values?: ArrayLike<number>): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return { dtype: "F32", shape, data: Float32Array.from(values ?? { length: size }, pick) };

  function pick(value: number | undefined, i: number): number {
    return value ?? i;
  }
}

/** The tensors of a file that holds those given; undefined ones are left out. */
export function tensorFile(tensors: Readonly<Record<string, Tensor | undefined>>): TensorSource {
  const there = Object.entries(tensors).filter((entry): entry is [string, Tensor] => !!entry[1]);
  return fromBytes(encodeSafetensors(Object.fromEntries(there)), "a file in memory");
}
