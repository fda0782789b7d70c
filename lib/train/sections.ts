/** A chunk of tokens on the GPU: what they select for each part of the loss, and what is left over. */
import type { Gpu } from "../gpu/device.ts";
import { FACTOR } from "../gpu/fvu.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import type { TopKEntries } from "../gpu/topk.ts";
import { type CoderShape, mostAuxK, multiK } from "./shape.ts";

/** Parts of the loss, each with latents that it selects and an output that it decodes. */
export type Purpose = "output" | "auxk" | "multiTopk";

/** The rows that a purpose has in sums over all of them, in the order of kernels/fvu.wgsl. */
export const PURPOSES: readonly Purpose[] = ["output", "auxk", "multiTopk"];

/** What one part of the loss has of a chunk. */
export interface Section extends TopKEntries {
  readonly purpose: Purpose;
  /** Number among the sections of a coder. */
  readonly section: number;
  /** Most slots per token. */
  readonly mostK: number;
  /** [tokens, k] pairs of f32: what a slot gives to its latent's gradients. */
  readonly slots: GPUBufferBinding;
  /** Row of all sections' residuals where this one's begin. */
  readonly firstResidual: number;
  /** Entry of the loss's factors that turns residuals into gradients. */
  readonly factor: number;
}

/**
 * The parts of the loss that a coder has, and the slots per token of each.
 *
 * @param mostK largest k that the output is going to have
 */
export function sectionSlots(shape: CoderShape, mostK: number): [Purpose, number][] {
  const slots: [Purpose, number][] = [["output", mostK]];
  if (shape.auxkAlpha > 0 && mostAuxK(shape) > 0) slots.push(["auxk", mostAuxK(shape)]);
  if (shape.multiTopk) slots.push(["multiTopk", multiK(shape, mostK)]);
  return slots;
}

/** The entries of a section's tokens from `token` on, a multiple of 64, where each has `k`. */
export function entriesFrom({ values, indices }: Section, token: number, k: number): TopKEntries {
  const from = ({ buffer, offset = 0, size = 0 }: GPUBufferBinding) => ({
    buffer,
    offset: offset + token * k * 4,
    size: size - token * k * 4,
  });
  return { values: from(values), indices: from(indices) };
}

/** The sections of a coder and the memory they share. */
export class Sections implements Disposable {
  readonly all: readonly Section[];
  /** [sections × tokens, inputSize]: outputs minus targets. */
  readonly residuals: OwnedRows;
  readonly #owned = new DisposableStack();

  /**
   * @param tokens most tokens of a chunk, a multiple of 64 so that every section can start a binding
   * @param mostK largest k that the output is going to have
   */
  constructor(gpu: Gpu, shape: CoderShape, readonly tokens: number, mostK: number) {
    const ks = sectionSlots(shape, mostK);
    const slots = tokens * ks.reduce((sum, [, k]) => sum + k, 0);
    const buffer = (label: string, bytes: number) =>
      this.#owned.use(gpu.buffer(label, bytes)).resource;
    const values = buffer("selected activations", slots * 4);
    const indices = buffer("selected latents", slots * 4);
    const gradients = buffer("selected latents' gradients", slots * 8);
    this.residuals = this.#owned.use(
      allocateRows(gpu, "residuals", ks.length * tokens, shape.inputSize),
    );
    let first = 0;
    this.all = ks.map(([purpose, k], section) => {
      const part = (buffer: GPUBuffer, bytes: number) => ({
        buffer,
        offset: first * bytes,
        size: tokens * k * bytes,
      });
      const made = {
        purpose,
        section,
        mostK: k,
        values: part(values, 4),
        indices: part(indices, 4),
        slots: part(gradients, 8),
        firstResidual: section * tokens,
        factor: FACTOR[purpose],
      };
      first += tokens * k;
      return made;
    });
  }

  /** The section of a part of the loss, where the coder has it. */
  of(purpose: Purpose): Section | undefined {
    return this.all.find((section) => section.purpose === purpose);
  }

  /** The residuals of a section's first `tokens` tokens. */
  residualsOf({ firstResidual }: Section, tokens: number): Rows {
    return rowsBetween(this.residuals, firstResidual, firstResidual + tokens);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
