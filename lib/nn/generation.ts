/**
 * Texts written by a model, many at a time: the prompts are read into a cache of keys and values in
 * packed passes, then every pass adds one token to each text. Drawn ids stay on the GPU, where the next
 * pass reads them; they come back for a chunk of passes together, since each readback costs as much as
 * many small passes.
 */
import type { Gpu } from "../gpu/device.ts";
import type { Allocated } from "../gpu/memory.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows } from "../gpu/rows.ts";
import { Sampler, type Sampling } from "../gpu/sampler.ts";
import { type BatchLimits, groupTexts, pack } from "./batch.ts";
import { KvCache } from "./kv_cache.ts";
import type { CachedTokens, Hook, Llama } from "./llama.ts";

/** A text to be written. */
export interface Continuation {
  /** Token ids, at least one. */
  readonly prompt: Uint32Array;
  /** Of its random numbers: a safe whole number of at least 0. */
  readonly seed: number;
  /** Set of edits of its tokens ({@linkcode Steering}); none if not given. */
  readonly set?: number;
}

/** Edits of activations, several sets of them in one batch. */
export interface Steering {
  /** @param groups [tokens] u32: the set of edits of each token, or {@linkcode NO_SET} */
  hooks(groups: GPUBufferBinding): readonly Hook[];
}

/** Group of tokens without edits. */
export const NO_SET = 0xffffffff;

/** How texts are written. */
export interface Generation {
  readonly maxNewTokens: number;
  /** Tokens that end a text. */
  readonly endIds: readonly number[];
  readonly sampling: Sampling;
  /** Edits are done to the last token of the prompt and to new ones only. */
  readonly lastTokenOnly?: boolean;
  /** Passes per readback. */
  readonly chunk?: number;
  /** Told how many more tokens were drawn (of texts that had not ended). */
  readonly progress?: (tokens: number) => void;
}

const CHUNK = 16;

/**
 * Writes texts. Each depends on its own prompt, seed and edits alone, neither on the others nor on the
 * limits or the chunk.
 *
 * @param texts as many as one cache holds ({@linkcode mostSequences})
 * @param limits of the packed passes over prompts
 * @returns the new ids of each text; the last is one of `endIds` where it ended before `maxNewTokens`
 * @throws InputError for a prompt that is empty or longer than a batch
 */
export async function generate(
  gpu: Gpu,
  llama: Llama,
  texts: readonly Continuation[],
  limits: BatchLimits,
  generation: Generation,
  steering?: Steering,
): Promise<Uint32Array<ArrayBuffer>[]> {
  const { maxNewTokens, endIds, progress, chunk = CHUNK } = generation;
  if (texts.length === 0 || maxNewTokens === 0) return texts.map(() => new Uint32Array());
  using writer = new Writer(gpu, llama, texts, limits, generation, steering);
  const ended = new Set(endIds);
  const written = Array.from(await writer.readPrompts(), (id) => [id]);
  progress?.(texts.length);
  const goesOn = (text: number) => !ended.has(written[text].at(-1)!);
  let active = [...texts.keys()].filter(goesOn);
  for (let count = 1; count < maxNewTokens && active.length > 0;) {
    const steps = Math.min(chunk, maxNewTokens - count);
    const ids = await writer.write(active, written, steps);
    let drawn = 0;
    active.forEach((text, row) => {
      for (let step = 0; step < steps && goesOn(text); step++, drawn++) {
        written[text].push(ids[step][row]);
      }
    });
    count += steps;
    progress?.(drawn);
    active = active.filter(goesOn);
  }
  return written.map((ids) => Uint32Array.from(ids));
}

/** What the texts of one call share on the GPU. */
class Writer implements Disposable {
  readonly #gpu: Gpu;
  readonly #llama: Llama;
  readonly #texts: readonly Continuation[];
  readonly #limits: BatchLimits;
  readonly #lastTokenOnly: boolean;
  readonly #steering: Steering | undefined;
  readonly #owned: DisposableStack;
  readonly #cache: KvCache;
  readonly #sampler: Sampler;
  /** Last residuals of all prompts. */
  readonly #lastResiduals: OwnedRows;
  /** Words from the values of one pass to those of the next: whole 256 bytes, so that each can be bound. */
  readonly #pitch: number;
  /** [passes + 1, pitch]: row 0 is what the first pass of a chunk reads, the others what passes draw. */
  readonly #ids: Allocated<GPUBuffer>;
  /** [passes, pitch] */
  readonly #positions: Allocated<GPUBuffer>;
  readonly #firsts: Allocated<GPUBuffer>;
  readonly #groups: Allocated<GPUBuffer>;
  readonly #seeds: Allocated<GPUBuffer>;

  constructor(
    gpu: Gpu,
    llama: Llama,
    texts: readonly Continuation[],
    limits: BatchLimits,
    { maxNewTokens, sampling, lastTokenOnly = false, chunk = CHUNK }: Generation,
    steering: Steering | undefined,
  ) {
    using undo = new DisposableStack();
    const { config } = llama;
    const rows = texts.length;
    const lengths = texts.map(({ prompt }) => prompt.length);
    const prompts = lengths.reduce((sum, length) => sum + length, 0);
    const stride = llama.prepareScoring(Math.min(prompts, limits.tokens), rows);
    const words = (label: string, count: number) => undo.use(gpu.buffer(label, count * 4));
    this.#gpu = gpu;
    this.#llama = llama;
    this.#texts = texts;
    this.#limits = limits;
    this.#lastTokenOnly = lastTokenOnly;
    this.#steering = steering;
    this.#pitch = Math.ceil(rows / 64) * 64;
    // The last token that is drawn is not read.
    this.#cache = undo.use(
      new KvCache(gpu, config, rows, Math.max(...lengths) + maxNewTokens - 1),
    );
    this.#sampler = undo.use(
      new Sampler(gpu, clipped(sampling, config.vocabularySize), rows, stride),
    );
    this.#lastResiduals = undo.use(
      allocateRows(gpu, "last residuals of prompts", rows, config.hiddenSize),
    );
    this.#ids = words("drawn ids", (chunk + 1) * this.#pitch);
    this.#positions = words("positions of new tokens", chunk * this.#pitch);
    this.#firsts = words("cache rows of texts", rows);
    this.#groups = words("edits of texts", rows);
    this.#seeds = words("seeds of texts", rows * 2);
    this.#owned = undo.move();
  }

  /** Fills the cache with the prompts, and draws the first token of each text. */
  async readPrompts(): Promise<Uint32Array> {
    const prompts = this.#texts.map(({ prompt }, text) => ({ ids: prompt, text }));
    for (const group of groupTexts(prompts, this.#limits)) await this.#readPacked(group);
    const every = [...this.#texts.keys()];
    this.#place(every);
    const recorder = this.#gpu.recorder();
    await this.#draw(recorder, this.#lastResiduals, 0, 0);
    recorder.submit();
    return await this.#drawn(0, every.length);
  }

  async #readPacked(prompts: readonly { ids: Uint32Array; text: number }[]): Promise<void> {
    const gpu = this.#gpu;
    const batch = pack(prompts.map(({ ids }) => ids));
    const textOf = Array.from(batch.examples, (example) => prompts[example].text);
    const isLast = (token: number) => batch.examples[token] !== batch.examples[token + 1];
    const groups = textOf.map((text, token) =>
      this.#lastTokenOnly && !isLast(token) ? NO_SET : this.#setOf(text)
    );
    using owned = new DisposableStack();
    const upload = (label: string, values: ArrayLike<number>) => ({
      buffer: owned.use(gpu.bufferOf(label, Uint32Array.from(values))).resource,
      size: values.length * 4,
    });
    const recorder = gpu.recorder();
    const residual = await this.#pass(recorder, {
      count: batch.ids.length,
      ids: upload("token ids", batch.ids),
      positions: upload("token positions", batch.positions),
      firsts: upload("cache rows of texts", textOf.map((text) => this.#firstRow(text))),
    }, upload("edits of tokens", groups));
    const bytes = residual.stride * 4;
    textOf.forEach((text, token) => {
      if (!isLast(token)) return;
      const { buffer } = this.#lastResiduals;
      recorder.copy(residual.buffer, residual.offset + token * bytes, buffer, text * bytes, bytes);
    });
    recorder.submit();
  }

  /**
   * Adds `steps` tokens to some texts.
   *
   * @param written ids of all texts so far; as many of each that is active
   * @returns [steps][active] the new ids
   */
  async write(
    active: readonly number[],
    written: readonly (readonly number[])[],
    steps: number,
  ): Promise<Uint32Array[]> {
    const rows = active.length;
    const count = written[active[0]].length;
    this.#place(active);
    const last = Uint32Array.from(active, (text) => written[text][count - 1]);
    this.#gpu.write(this.#ids.resource, 0, last);
    const positions = new Uint32Array(steps * this.#pitch);
    active.forEach((text, row) => {
      const first = this.#texts[text].prompt.length + count - 1;
      for (let step = 0; step < steps; step++) positions[step * this.#pitch + row] = first + step;
    });
    this.#gpu.write(this.#positions.resource, 0, positions);
    const recorder = this.#gpu.recorder();
    for (let step = 0; step < steps; step++) {
      const residual = await this.#pass(recorder, {
        count: rows,
        ids: this.#rowOf(this.#ids, step, rows),
        positions: this.#rowOf(this.#positions, step, rows),
        firsts: this.#rowOf(this.#firsts, 0, rows),
      }, this.#rowOf(this.#groups, 0, rows));
      await this.#draw(recorder, residual, count + step, step + 1);
      recorder.submit();
    }
    const ids = await this.#drawn(1, (steps - 1) * this.#pitch + rows);
    return Array.from(
      { length: steps },
      (_, step) => ids.subarray(step * this.#pitch, step * this.#pitch + rows),
    );
  }

  async #pass(
    recorder: Recorder,
    tokens: CachedTokens,
    groups: GPUBufferBinding,
  ): Promise<Rows> {
    const hooks = this.#steering?.hooks(groups) ?? [];
    return await this.#llama.forwardCached(recorder, tokens, this.#cache, hooks);
  }

  /** Records the draw of a token of each row, the `count`th of its text, into a row of the drawn ids. */
  async #draw(recorder: Recorder, residual: Rows, count: number, into: number): Promise<void> {
    await this.#llama.eachLogits(
      recorder,
      residual,
      (block, row, token) => this.#sampler.record(recorder, block, row, token),
    );
    const { rows } = residual;
    const seeds = { buffer: this.#seeds.resource, size: rows * 8 };
    this.#sampler.recordDraw(recorder, rows, seeds, count, this.#rowOf(this.#ids, into, rows));
  }

  async #drawn(from: number, words: number): Promise<Uint32Array> {
    return new Uint32Array(
      await this.#gpu.read(this.#ids.resource, from * this.#pitch * 4, words * 4),
    );
  }

  /** Says which texts the rows of the next passes are. */
  #place(texts: readonly number[]): void {
    const list = (words: number[]) => Uint32Array.from(words);
    const { resource: firsts } = this.#firsts;
    this.#gpu.write(firsts, 0, list(texts.map((text) => this.#firstRow(text))));
    this.#gpu.write(this.#groups.resource, 0, list(texts.map((text) => this.#setOf(text))));
    const keys = texts.flatMap((text) => seedKey(this.#texts[text].seed));
    this.#gpu.write(this.#seeds.resource, 0, list(keys));
  }

  #firstRow(text: number): number {
    return text * this.#cache.capacity;
  }

  #setOf(text: number): number {
    return this.#texts[text].set ?? NO_SET;
  }

  #rowOf({ resource }: Allocated<GPUBuffer>, row: number, words: number): GPUBufferBinding {
    return { buffer: resource, offset: row * this.#pitch * 4, size: words * 4 };
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Key of the random numbers of a seed: its lower and upper 32 bits. */
export function seedKey(seed: number): [number, number] {
  return [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
}

/** The same sampling for a vocabulary that may be smaller than the top-k. */
export function clipped(sampling: Sampling, vocabularySize: number): Sampling {
  return { ...sampling, topK: Math.min(sampling.topK, vocabularySize) };
}
