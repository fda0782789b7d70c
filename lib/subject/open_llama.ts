/** The model of a subject, on a GPU. */
import type { Gpu } from "../gpu/device.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import { Llama } from "../nn/llama.ts";
import type { Subject } from "./subject.ts";

/** The subject's model on a GPU. */
export function openLlama(
  gpu: Gpu,
  { config, tensors, modelName }: Subject,
  store: WeightStore,
): Llama {
  return new Llama(gpu, config, tensors, modelName, store);
}
