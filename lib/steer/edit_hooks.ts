/** Edits of activations as hooks of a forward pass. */
import { recordAddVector } from "../gpu/add_vector.ts";
import type { Gpu } from "../gpu/device.ts";
import { allocateRows, type Rows, writeRows } from "../gpu/rows.ts";
import { type ColumnLists, recordSetColumns } from "../gpu/set_columns.ts";
import type { Hookpoint } from "../nn/hookpoints.ts";
import type { Hook } from "../nn/llama.ts";
import type { Edit } from "./interventions.ts";

type Addition = Extract<Edit, { kind: "add" }>;
type NeuronEdit = Extract<Edit, { kind: "neurons" }>;
type Run = (recorder: Parameters<Hook["run"]>[0], y: Rows, groups?: GPUBufferBinding) => void;

/**
 * Hooks that do edits; several sets of edits can be done in one batch, each to tokens of its own. Owns
 * the GPU memory of what they add and set.
 */
export class EditHooks implements Disposable {
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #runs: { readonly hookpoint: Hookpoint; readonly run: Run }[] = [];

  /**
   * @param sets what is done to the tokens of each group; in one set at most one edit of a kind (add a
   *   vector; set neurons; add to neurons) per hookpoint
   */
  constructor(gpu: Gpu, sets: readonly (readonly Edit[])[]) {
    this.#gpu = gpu;
    const hookpoints = new Map(sets.flat().map(({ hookpoint }) => [hookpoint.name, hookpoint]));
    using undo = new DisposableStack();
    undo.use(this.#owned);
    for (const hookpoint of hookpoints.values()) {
      const here = sets.map((edits) =>
        edits.filter((edit) => edit.hookpoint.name === hookpoint.name)
      );
      this.#addVectors(hookpoint, here);
      this.#changeNeurons(hookpoint, here, "set");
      this.#changeNeurons(hookpoint, here, "add");
    }
    undo.move();
  }

  /**
   * The hooks, for one or more batches.
   *
   * @param groups [tokens of the batch] u32: the set of edits of each token, or 0xffffffff for none; at
   *   an offset of whole 256 bytes. Without it every token gets set 0.
   */
  hooks(groups?: GPUBufferBinding): Hook[] {
    return this.#runs.map(({ hookpoint, run }) => ({
      hookpoint,
      run: (recorder, activations, first) =>
        run(recorder, activations, groups && groupsOf(groups, activations, first)),
    }));
  }

  #addVectors(hookpoint: Hookpoint, sets: readonly (readonly Edit[])[]): void {
    const additions = sets.map((edits) => only(edits.filter(isAddition)));
    const width = additions.find((edit) => edit !== undefined)?.vector.length;
    if (width === undefined) return;
    const vectors = this.#owned.use(
      allocateRows(this.#gpu, "steering vectors", sets.length, width),
    );
    const values = new Float32Array(sets.length * width);
    additions.forEach((edit, set) => values.set(edit?.vector ?? [], set * width));
    writeRows(this.#gpu, vectors, values);
    this.#runs.push({
      hookpoint,
      run: (recorder, y, groups) => recordAddVector(this.#gpu, recorder, y, vectors, groups),
    });
  }

  #changeNeurons(
    hookpoint: Hookpoint,
    sets: readonly (readonly Edit[])[],
    operation: "set" | "add",
  ): void {
    const edits = sets.map((set) =>
      only(set.filter(isNeuronEdit).filter(({ add }) => add === (operation === "add")))
    );
    if (edits.every((edit) => edit === undefined)) return;
    const lists = this.#upload(edits);
    this.#runs.push({
      hookpoint,
      run: (recorder, y, groups) =>
        recordSetColumns(this.#gpu, recorder, y, operation, lists, groups),
    });
  }

  #upload(edits: readonly (NeuronEdit | undefined)[]): ColumnLists {
    const lengths = edits.map((edit) => edit?.neurons.length ?? 0);
    const offsets = new Uint32Array(edits.length + 1);
    lengths.forEach((length, set) => offsets[set + 1] = offsets[set] + length);
    const columns = new Uint32Array(offsets[edits.length]);
    const values = new Float32Array(offsets[edits.length]);
    edits.forEach((edit, set) => {
      columns.set(edit?.neurons ?? [], offsets[set]);
      values.set(edit?.values ?? [], offsets[set]);
    });
    const upload = (label: string, list: Uint32Array | Float32Array) =>
      this.#owned.use(this.#gpu.bufferOf(label, list)).resource;
    return {
      columns: upload("neurons to edit", columns),
      values: upload("values of neurons", values),
      offsets: upload("offsets of neuron edits", offsets),
      most: Math.max(...lengths),
    };
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

function isAddition(edit: Edit): edit is Addition {
  return edit.kind === "add";
}

function isNeuronEdit(edit: Edit): edit is NeuronEdit {
  return edit.kind === "neurons";
}

function only<E extends Edit>(edits: readonly E[]): E | undefined {
  if (edits.length > 1) {
    throw new RangeError(`${edits.length} edits of ${edits[0].hookpoint.name} in one set`);
  }
  return edits.at(0);
}

/** The groups of a piece of a batch. */
function groupsOf(
  { buffer, offset = 0 }: GPUBufferBinding,
  { rows }: Rows,
  first: number,
): GPUBufferBinding {
  return { buffer, offset: offset + first * 4, size: rows * 4 };
}
