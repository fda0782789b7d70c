/** The slots of each latent, in the order of tokens: kernels/latent_lists.wgsl. */
import source from "../../kernels/latent_lists.wgsl" with { type: "text" };
import { type Gpu, ITEM_LANES } from "./device.ts";
import type { Recorder } from "./recorder.ts";

/** Slots that tokens have for one purpose: for the output, for AuxK, or for Multi-TopK. */
export interface SlotSection {
  /** Number of the section, below the number of sections. */
  readonly section: number;
  /** Slots per token. */
  readonly k: number;
  /** [tokens, k] u32: the latent of each slot. */
  readonly indices: GPUBufferBinding;
  /** [tokens, k] pairs of f32, from slot_gradients.ts. */
  readonly slots: GPUBufferBinding;
  /** Row of the residuals that token 0 has in this section. */
  readonly residuals: number;
}

/** Lists of slots by latent, and the scratch memory that making them takes. */
export class LatentLists implements Disposable {
  /** [latents] pairs of u32: first entry and number of entries. */
  readonly lists: GPUBuffer;
  /** [slots] of four words: see the kernel. */
  readonly list: GPUBuffer;
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #bits: GPUBuffer;
  readonly #cursor: GPUBuffer;
  /** vec4s of a latent's bits. */
  readonly #words: number;

  /**
   * @param tokens most tokens of one call
   * @param sections most sections of one call
   * @param slots most slots per token, of all sections together
   */
  constructor(
    gpu: Gpu,
    readonly latents: number,
    tokens: number,
    readonly sections: number,
    slots: number,
  ) {
    this.#gpu = gpu;
    this.#words = Math.ceil(tokens * sections / 128);
    const buffer = (label: string, bytes: number) =>
      this.#owned.use(gpu.buffer(label, bytes)).resource;
    this.lists = buffer("latents' lists", latents * 8);
    this.list = buffer("latents' slots", tokens * slots * 16);
    this.#bits = buffer("latents' tokens", latents * this.#words * 16);
    this.#cursor = buffer("latents' cursor", 4);
  }

  /** Records the making of the lists of `tokens` tokens. */
  record(recorder: Recorder, tokens: number, sections: readonly SlotSection[]): void {
    const constants = { LANES: ITEM_LANES, SECTIONS: this.sections, WORDS: this.#words };
    const kernel = (step: "mark" | "place" | "fill") =>
      this.#gpu.kernel("latent_lists", source, { ...constants, STEP: step });
    recorder.clear(this.#bits);
    recorder.clear(this.#cursor);
    for (const { section, k, indices, slots } of sections) {
      const params = [tokens * k, k, section, 0];
      const groups = Math.ceil(tokens * k / ITEM_LANES);
      recorder.dispatchItems(kernel("mark"), [indices, slots, this.#bits], params, groups);
    }
    const placed = [this.#bits, this.lists, this.#cursor];
    const latentGroups = Math.ceil(this.latents / ITEM_LANES);
    recorder.dispatchItems(kernel("place"), placed, [this.latents, 0, 0, 0], latentGroups);
    for (const { section, k, indices, slots, residuals } of sections) {
      const bindings = [indices, slots, this.#bits, this.lists, this.list];
      const params = [tokens * k, k, section, residuals];
      const groups = Math.ceil(tokens * k / ITEM_LANES);
      recorder.dispatchItems(kernel("fill"), bindings, params, groups);
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
