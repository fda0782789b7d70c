/** Models that are measured whole. */
import { readUdhr } from "../lib/data/udhr.ts";
import type { Tokenizer } from "../lib/formats/tokenizer.ts";
import type { Gpu } from "../lib/gpu/device.ts";
import { WeightStore } from "../lib/gpu/weight_store.ts";
import type { BatchLimits } from "../lib/nn/batch.ts";
import { Llama } from "../lib/nn/llama.ts";
import { impatientAccess } from "../lib/subject/access.ts";
import { type OpenModel, openModel } from "../lib/subject/open_model.ts";

/** The limits of batches that steps have by default. */
export const LIMITS: BatchLimits = { tokens: 8192, examples: 1024 };

/** A model on the GPU, all of it. */
export interface RunningModel extends Disposable {
  readonly model: OpenModel;
  readonly store: WeightStore;
  readonly llama: Llama;
}

/**
 * Opens a model.
 *
 * @param path of a folder in Hugging Face layout or of a GGUF file
 */
export async function openRunning(gpu: Gpu, path: string): Promise<RunningModel> {
  using stack = new DisposableStack();
  const model = stack.use(await openModel(path, impatientAccess()));
  const store = stack.use(new WeightStore(gpu));
  const llama = stack.use(new Llama(gpu, model.config, model.tensors, path, store));
  const owned = stack.move();
  return { model, store, llama, [Symbol.dispose]: () => owned[Symbol.dispose]() };
}

/** Paragraphs of the Universal Declaration as token ids, those of one language after another's. */
export async function declaration(
  tokenizer: Tokenizer,
  languages: readonly string[],
): Promise<Uint32Array<ArrayBuffer>[]> {
  const rows = await Promise.all(languages.map(readUdhr));
  return rows.flat().map(({ text }) => tokenizer.encode(text));
}
