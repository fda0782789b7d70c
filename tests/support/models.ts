/** Opens Llamas on the test machine's adapter. */
import { readJson } from "../../lib/data/files.ts";
import { openSafetensorsFolder } from "../../lib/data/safetensors_files.ts";
import type { Gpu } from "../../lib/gpu/device.ts";
import { readRows, type Rows } from "../../lib/gpu/rows.ts";
import { WeightStore } from "../../lib/gpu/weight_store.ts";
import type { Batch } from "../../lib/nn/batch.ts";
import { parseLlamaConfig } from "../../lib/nn/config.ts";
import { resolveHookpoints } from "../../lib/nn/hookpoints.ts";
import { type Hook, Llama } from "../../lib/nn/llama.ts";
import { projectPath } from "./tensors.ts";

/** A Llama and what has to outlive it. */
export interface TestLlama extends Disposable {
  readonly llama: Llama;
  readonly store: WeightStore;
}

/** Opens a checkpoint that lies in this project. */
export async function openTestLlama(gpu: Gpu, relative: string): Promise<TestLlama> {
  const folder = projectPath(relative);
  const config = parseLlamaConfig(
    await readJson(`${folder}/config.json`),
    `${relative}/config.json`,
  );
  using owned = new DisposableStack();
  const tensors = owned.use(await openSafetensorsFolder(folder));
  const store = owned.use(new WeightStore(gpu));
  const llama = owned.use(new Llama(gpu, config, tensors, relative, store));
  const kept = owned.move();
  return { llama, store, [Symbol.dispose]: () => kept[Symbol.dispose]() };
}

/** Runs a batch and returns what passes the named hookpoints: [tokens, width] each, unpadded. */
export async function activationsAt(
  gpu: Gpu,
  llama: Llama,
  batch: Batch,
  names: readonly string[],
): Promise<Map<string, Float32Array>> {
  const pieces = new Map<string, { first: number; values: Float32Array }[]>();
  const hooks: Hook[] = resolveHookpoints(names, llama.config.layers).map((hookpoint) => ({
    hookpoint,
    async run(recorder, activations: Rows, first) {
      recorder.submit();
      const values = await readRows(gpu, activations);
      const list = pieces.get(hookpoint.name) ?? [];
      pieces.set(hookpoint.name, [...list, { first, values }]);
    },
  }));
  await llama.forward(batch, hooks);
  return new Map([...pieces].map(([name, list]) => {
    const whole = new Float32Array(list.reduce((sum, { values }) => sum + values.length, 0));
    const width = whole.length / batch.ids.length;
    list.forEach(({ first, values }) => whole.set(values, first * width));
    return [name, whole];
  }));
}
