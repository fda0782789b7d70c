/**
 * How good an SAE is at its hookpoint, on texts by language: what it explains of the activations, and what
 * the model makes of the texts when the SAE's reconstruction takes the place of the module's output
 * (issue "Train SAEs"; KL and CE recovered as in Bricken 2023 and the SAE literature since).
 */
import type { Gpu } from "../../gpu/device.ts";
import { recordGatherRows } from "../../gpu/gather_rows.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import {
  allocateRows,
  type OwnedRows,
  readRows,
  type Rows,
  rowsBetween,
  writeRows,
} from "../../gpu/rows.ts";
import type { WeightStore } from "../../gpu/weight_store.ts";
import { type BatchLimits, groupTexts, pack } from "../../nn/batch.ts";
import type { Hookpoint } from "../../nn/hookpoints.ts";
import type { Hook, Llama } from "../../nn/llama.ts";
import type { DecodableTarget } from "../../sae/fidelity.ts";
import { type Replacement, REPLACEMENTS, type Sums, total } from "./figures.ts";
import { KeptLogits } from "./kept_logits.ts";
import { openReconstructor, type Reconstructor } from "./reconstructor.ts";

/** Texts of one language, of two tokens or more each. */
export interface EvaluatedLanguage {
  readonly name: string;
  readonly texts: readonly { readonly ids: Uint32Array<ArrayBuffer> }[];
}

/** The model that SAEs are spliced into. */
export interface EvaluatedModel {
  readonly gpu: Gpu;
  readonly store: WeightStore;
  readonly llama: Llama;
  /** Batches have no tokens whose logits cannot be kept: see {@linkcode keepableTokens}. */
  readonly limits: BatchLimits;
}

/** What is measured, and on which tokens. */
export interface EvaluationOptions {
  /** Tokens that keep the module's output, and whose activations do not count. */
  readonly excluded: ReadonlySet<number>;
  /** Whether the SAE is spliced in: else CE and KL are not measured. */
  readonly splice: boolean;
}

/** What was found of one SAE. */
export interface Evaluation {
  /** In the order of the languages. */
  readonly languages: readonly { readonly sums: Sums; readonly silent: number }[];
  /** Latents that were active on no token of any language. */
  readonly silent: number;
}

/** Tokens of a batch of one language, packed. */
type Packed = ReturnType<typeof pack>;

/**
 * The mean activation at each hookpoint over all tokens that count, [width].
 *
 * @param hookpoints in the order of the result
 */
export async function meanActivations(
  model: EvaluatedModel,
  hookpoints: readonly Hookpoint[],
  languages: readonly EvaluatedLanguage[],
  excluded: ReadonlySet<number>,
): Promise<Float64Array[]> {
  const { gpu, llama } = model;
  const sums = hookpoints.map(() => new Float64Array(llama.config.hiddenSize));
  let tokens = 0;
  for (const batch of languages.flatMap((language) => batchesOf(language, model))) {
    const counted = countedIn(batch, excluded);
    tokens += counted.length;
    const hooks = hookpoints.map((hookpoint, i): Hook => ({
      hookpoint,
      async run(recorder, activations) {
        recorder.submit();
        const x = await readRows(gpu, activations);
        const { width } = activations;
        for (const token of counted) {
          for (let d = 0; d < width; d++) sums[i][d] += x[token * width + d];
        }
      },
    }));
    await llama.forward(batch, hooks);
  }
  return sums.map((sum) => sum.map((value) => tokens === 0 ? 0 : value / tokens));
}

/**
 * Measures one SAE.
 *
 * @param mean activation at its hookpoint, of {@linkcode meanActivations}
 * @param progressed told of tokens that are done
 * @throws GpuError when its decoder does not fit the adapter or the memory budget
 */
export async function evaluate(
  model: EvaluatedModel,
  target: DecodableTarget,
  mean: Float64Array,
  languages: readonly EvaluatedLanguage[],
  options: EvaluationOptions,
  progressed: (tokens: number) => void = () => {},
): Promise<Evaluation> {
  const batches = languages.map((language) => batchesOf(language, model));
  const most = mostTokens(batches.flat());
  model.llama.prepareScoring(most);
  const { gpu, store } = model;
  using reconstructor = await openReconstructor(gpu, store, target.sae, most);
  using site = new Site(model, target, reconstructor, options, most);

  const everFired = new Set<number>();
  const found: Evaluation["languages"][number][] = [];
  for (const own of batches) {
    const fired = new Set<number>();
    const parts: BatchSums[] = [];
    for (const batch of own) {
      parts.push(await site.measure(batch, mean, fired));
      progressed(batch.ids.length);
    }
    for (const latent of fired) everFired.add(latent);
    const sums = { ...total(parts.map(({ sums }) => sums)), offset: offsetOf(parts) };
    found.push({ sums, silent: target.sae.latents - fired.size });
  }
  return { languages: found, silent: target.sae.latents - everFired.size };
}

function batchesOf({ texts }: EvaluatedLanguage, { limits }: EvaluatedModel): Packed[] {
  return [...groupTexts(texts, limits)].map((group) => pack(group.map(({ ids }) => ids)));
}

function mostTokens(batches: readonly Packed[]): number {
  return batches.reduce((most, { ids }) => Math.max(most, ids.length), 1);
}

/** Tokens of a batch whose activations count. */
function countedIn({ ids }: Packed, excluded: ReadonlySet<number>): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(ids.keys()).filter((at) => !excluded.has(ids[at]));
}

/** Sums of a batch, whose offset is still to be found. */
interface BatchSums {
  readonly sums: Sums;
  /** Σ (x - c), [inputSize] */
  readonly deviation: Float64Array;
}

/** n |mean(x) - c|² */
function offsetOf(parts: readonly BatchSums[]): number {
  const tokens = parts.reduce((sum, part) => sum + part.sums.tokens, 0);
  if (tokens === 0) return 0;
  const [first, ...others] = parts.map(({ deviation }) => deviation);
  const deviation = first.map((value, d) => others.reduce((sum, other) => sum + other[d], value));
  return deviation.reduce((sum, value) => sum + value ** 2, 0) / tokens;
}

/** The place of one SAE in a model. */
class Site implements Disposable {
  readonly #owned = new DisposableStack();
  /** What the SAE stands for, and what a transcoder reads in its place. */
  readonly #kept: OwnedRows;
  readonly #inputs: OwnedRows;
  readonly #replacement: OwnedRows;
  readonly #positions: GPUBuffer;

  /** @param most tokens of a batch */
  constructor(
    readonly model: EvaluatedModel,
    readonly target: DecodableTarget,
    readonly reconstructor: Reconstructor,
    readonly options: EvaluationOptions,
    most: number,
  ) {
    const { gpu } = model;
    const { inputSize } = target.sae;
    const rows = (label: string) => this.#owned.use(allocateRows(gpu, label, most, inputSize));
    this.#kept = rows("activations");
    this.#inputs = target.sae.transcoder ? rows("transcoder inputs") : this.#kept;
    this.#replacement = rows("replacements");
    this.#positions = this.#owned.use(gpu.buffer("kept tokens", most * 4)).resource;
  }

  /**
   * Measures a batch.
   *
   * @param mean of all tokens
   * @param fired gets the latents that fire
   */
  async measure(batch: Packed, mean: Float64Array, fired: Set<number>): Promise<BatchSums> {
    const { llama, gpu } = this.model;
    const { splice } = this.options;
    const positions = countedIn(batch, this.options.excluded);
    const reads = this.#hook(
      positions,
      (recorder, x, y) => this.reconstructor.run(recorder, x, y),
      "read",
    );
    const residual = await llama.forward(batch, [reads], splice);
    using logits = splice ? await KeptLogits.of(gpu, llama, residual) : undefined;
    const counted = await this.#activations(positions.length, mean, fired);
    if (!logits) return { ...counted, sums: { ...counted.sums, ...UNSPLICED } };
    const spliced: Spliced[] = [];
    for (const replacement of REPLACEMENTS) {
      spliced.push(await this.#spliced(batch, positions, replacement, mean, logits));
    }
    const each = (key: "changed" | "divergence") => {
      const [sae, zero, mean] = spliced.map((sums) => sums[key]);
      return { sae, zero, mean };
    };
    const [{ predicted, original: loss }] = spliced;
    const predictions = {
      predicted,
      loss,
      losses: each("changed"),
      divergences: each("divergence"),
    };
    return { ...counted, sums: { ...counted.sums, ...predictions } };
  }

  /** What the last pass's activations and their reconstruction add up to. */
  async #activations(tokens: number, mean: Float64Array, fired: Set<number>) {
    const deviation = new Float64Array(mean.length);
    let [error, variation, active] = [0, 0, 0];
    if (tokens > 0) {
      const { gpu } = this.model;
      const x = await readRows(gpu, rowsBetween(this.#kept, 0, tokens));
      const y = await readRows(gpu, rowsBetween(this.#replacement, 0, tokens));
      for (let i = 0; i < x.length; i++) {
        const centred = x[i] - mean[i % mean.length];
        deviation[i % mean.length] += centred;
        variation += centred ** 2;
        error += (x[i] - y[i]) ** 2;
      }
      const found = await this.reconstructor.fired();
      for (const latent of found.latents) fired.add(latent);
      active = found.active;
    }
    return { deviation, sums: { tokens, error, variation, offset: 0, active } };
  }

  /** Predictions of a batch with a replacement, beside those of the model as it is. */
  async #spliced(
    batch: Packed,
    positions: Uint32Array<ArrayBuffer>,
    replacement: Replacement,
    mean: Float64Array,
    logits: KeptLogits,
  ): Promise<Spliced> {
    const { gpu, llama } = this.model;
    if (replacement !== "sae") {
      const row = replacement === "mean" ? mean : new Float64Array(mean.length);
      const rows = rowsBetween(this.#replacement, 0, positions.length);
      const filled = Float32Array.from(
        { length: positions.length * row.length },
        (_, i) => row[i % row.length],
      );
      writeRows(gpu, rows, filled);
    }
    const hook = this.#hook(
      positions,
      async (recorder, x, y) => {
        if (replacement === "sae") await this.reconstructor.run(recorder, x, y);
      },
      "replace",
    );
    const residual = await llama.forward(batch, [hook], true);
    const next = new Uint32Array(batch.ids.length);
    next.set(batch.ids.subarray(1));
    const found = await logits.compare(residual, next);
    // What the last token of a text is followed by is another text.
    const predicted = found.filter((_, i) => batch.positions.at(i + 1) === batch.positions[i] + 1);
    const sum = (of: (each: typeof found[number]) => number) =>
      predicted.reduce((sum, each) => sum + of(each), 0);
    return {
      predicted: predicted.length,
      original: -sum(({ original }) => original),
      changed: -sum(({ changed }) => changed),
      divergence: sum(({ divergence }) => divergence),
    };
  }

  /**
   * A hook that gathers what counts and has rows made of it.
   *
   * @param make records what y is made of x, which the SAE reads: both [tokens that count, inputSize]
   * @param use whether y takes the place of the module's output
   */
  #hook(
    positions: Uint32Array<ArrayBuffer>,
    make: (recorder: Recorder, x: Rows, y: Rows) => void | Promise<void>,
    use: "read" | "replace",
  ): Hook {
    const { gpu } = this.model;
    gpu.write(this.#positions, 0, positions);
    const gather = (recorder: Recorder, from: Rows, to: Rows) =>
      recordGatherRows(gpu, recorder, from, this.#positions, rowsBetween(to, 0, positions.length));
    const { hookpoint, sae } = this.target;
    return {
      hookpoint,
      ...sae.transcoder && positions.length > 0 && {
        before: (recorder: Recorder, input: Rows) => gather(recorder, input, this.#inputs),
      },
      run: async (recorder, activations) => {
        if (positions.length === 0) return;
        const x = rowsBetween(this.#inputs, 0, positions.length);
        const y = rowsBetween(this.#replacement, 0, positions.length);
        gather(recorder, activations, this.#kept);
        await make(recorder, x, y);
        if (use === "read") return;
        const bytes = activations.stride * 4;
        for (const { from, at, count } of runsOf(positions)) {
          const { buffer, offset } = activations;
          recorder.copy(y.buffer, from * bytes, buffer, offset + at * bytes, count * bytes);
        }
      },
    };
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Sums over the tokens of a batch that are predicted. */
interface Spliced {
  readonly predicted: number;
  readonly original: number;
  readonly changed: number;
  readonly divergence: number;
}

const UNSPLICED = { predicted: 0, loss: null, losses: null, divergences: null };

/** Consecutive positions: the `count` from entry `from` on are `at`, `at` + 1, … */
function runsOf(positions: Uint32Array): { from: number; at: number; count: number }[] {
  const runs: { from: number; at: number; count: number }[] = [];
  positions.forEach((at, from) => {
    const last = runs.at(-1);
    if (last && last.at + last.count === at) last.count++;
    else runs.push({ from, at, count: 1 });
  });
  return runs;
}
