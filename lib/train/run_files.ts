/**
 * The folder of a training. What is there at any moment is a whole checkpoint, wherever the program
 * stopped: the files of a new one are written beside the old, `training.json` is then put in place,
 * which makes them count, and at last they get their own names.
 *
 * `<hookpoint>/cfg.json` and `sae.safetensors` are as sparsify has them (spec train-and-interpret
 * A.2), `<hookpoint>/training.safetensors` is what going on needs beside.
 */
import { join } from "node:path";
import { z } from "zod";
import { isFile } from "../data/file_tree.ts";
import { listFolder, readChunks, readJson, writeAtomic } from "../data/files.ts";
import { InputError } from "../formats/input_error.ts";
import { coderConfig, type WidthOptions, writeCoder, writeCoderState } from "./coder_files.ts";
import type { CoderPlan, CoderTraining } from "./coder_training.ts";

/** What makes a checkpoint one. */
const STATE = "training.json";
const FORMAT = "babelscope training 1";
/** Files of a coder's folder that a checkpoint replaces. */
const FILES = ["sae", "training"] as const;
type CoderFile = typeof FILES[number];

const State = z.object({
  format: z.literal(FORMAT),
  /** What the training depends on, each as text. */
  identity: z.record(z.string(), z.string()),
  steps: z.int().positive(),
  micro_batches: z.int().positive(),
  tokens: z.int().nonnegative(),
  /** Active latents per token. */
  k: z.int().positive(),
  /** The lowest FVU of each coder so far, as `save_best` has it. */
  best_fvu: z.record(z.string(), z.number()),
  /** FVU of each coder on what is held out. */
  held_out_fvu: z.record(z.string(), z.number()),
  /** Length of the log of metrics. */
  metrics_bytes: z.int().nonnegative(),
  /** Numbers of each coder's optimizer. */
  optimizers: z.record(z.string(), z.record(z.string(), z.number())),
});

/** What a checkpoint says of a training, beside its tensors. */
export type TrainingState = Omit<z.infer<typeof State>, "format">;

/** The files of one training. */
export class RunFiles {
  /** @param width as options say it */
  constructor(readonly folder: string, readonly width: WidthOptions) {}

  /**
   * The checkpoint that is there, if there is one. Its files get their own names, where the program was
   * stopped before they did.
   *
   * @throws InputError when it cannot be read
   */
  async open(coders: readonly CoderPlan[]): Promise<TrainingState | undefined> {
    const path = join(this.folder, STATE);
    if (!await isFile(path)) return undefined;
    const { success, data } = State.safeParse(await readJson(path));
    if (!success) {
      throw new InputError(`${path} is no state of a training; train in another folder.`);
    }
    const { format: _, ...state } = data;
    if (coders.every(({ name }) => Object.hasOwn(state.optimizers, name))) {
      await this.#settle(coders, state);
    }
    return state;
  }

  /** Path of a file of the checkpoint that is there. */
  path({ name }: CoderPlan, file: CoderFile): string {
    return join(this.folder, name, `${file}.safetensors`);
  }

  /** Path of a file of the checkpoint of a step, before it counts. */
  pathAt({ name }: CoderPlan, file: CoderFile, step: number): string {
    return join(this.folder, name, `${file}.${step}.safetensors`);
  }

  /** Writes a coder's files of a checkpoint that does not count yet. */
  async write(training: CoderTraining, step: number): Promise<void> {
    const { plan, optimizer } = training;
    const tensors = await optimizer.savedTensors();
    await writeCoder(this.pathAt(plan, "sae", step), plan.shape, tensors);
    await writeCoderState(this.pathAt(plan, "training", step), await training.state());
  }

  /** Makes the checkpoint count whose coders are written. */
  async commit(coders: readonly CoderPlan[], state: TrainingState): Promise<void> {
    const text = JSON.stringify({ format: FORMAT, ...state }, null, 2);
    await writeAtomic(join(this.folder, STATE), `${text}\n`);
    await this.#settle(coders, state);
  }

  /** Copies the coder of a checkpoint that does not count yet to where the best are. */
  async keepBest({ name, shape }: CoderPlan, step: number, k: number, compat?: "paper") {
    const folder = compat === "paper" ? join("best", name, name) : join("best", name);
    const from = join(this.folder, name, `sae.${step}.safetensors`);
    const to = join(this.folder, folder);
    await writeAtomic(join(to, "sae.safetensors"), readChunks(from));
    await writeAtomic(join(to, "cfg.json"), coderConfig(shape, this.width, k));
  }

  /** Gives the files of the checkpoint that counts their own names, and removes all others. */
  async #settle(coders: readonly CoderPlan[], { steps, k }: TrainingState): Promise<void> {
    for (const plan of coders) {
      const folder = join(this.folder, plan.name);
      const names = await listFolder(folder);
      for (const file of FILES) {
        const isNew = names.includes(`${file}.${steps}.safetensors`);
        if (isNew) await Deno.rename(this.pathAt(plan, file, steps), this.path(plan, file));
      }
      await writeAtomic(join(folder, "cfg.json"), coderConfig(plan.shape, this.width, k));
      for (const name of await listFolder(folder)) {
        if (isLeftOver(name)) await Deno.remove(join(folder, name));
      }
    }
  }
}

/** Whether a file is of a checkpoint that does not count any more, or never did. */
function isLeftOver(name: string): boolean {
  return /^(sae|training)\.\d+\.safetensors$/.test(name) || name.endsWith(".part");
}
