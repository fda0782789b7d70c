/**
 * The forward pass of a Llama over packed texts, with hookpoints that read and edit.
 *
 * A block (HF naming): h += o_proj(attention(rope(qkv(norm(h))))), then
 * h += down_proj(silu(gate_proj(n)) · up_proj(n)) with n = norm(h). Weights are used as stored;
 * arithmetic is f32. The pass stops after the last hookpoint in use, and a token's values do not
 * depend on what it is batched with.
 */
import type { TensorSource } from "../formats/tensor_source.ts";
import { recordAttention, type TextPlaces } from "../gpu/attention.ts";
import { recordCachedAttention } from "../gpu/cached_attention.ts";
import type { Gpu } from "../gpu/device.ts";
import { recordAdd, recordMultiply, recordSilu } from "../gpu/elementwise.ts";
import { recordEmbed } from "../gpu/embed.ts";
import { preparePackedAttention } from "../gpu/key_values.ts";
import {
  prepareMatMul,
  recordGatedMatMul,
  recordMatMul,
  recordShardMatMul,
} from "../gpu/matmul.ts";
import {
  matrixBytes,
  type MatrixSource,
  type Shard,
  shardRanges,
  uploadShard,
} from "../gpu/matrix.ts";
import { TargetLogProbabilities } from "../gpu/log_sum_exp.ts";
import type { Allocated } from "../gpu/memory.ts";
import type { Binding, Recorder } from "../gpu/recorder.ts";
import { recordRmsNorm } from "../gpu/rmsnorm.ts";
import { recordRope } from "../gpu/rope.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import type { Lease, WeightStore } from "../gpu/weight_store.ts";
import type { Batch } from "./batch.ts";
import { Checkpoint, type Layer, type Linear } from "./checkpoint.ts";
import type { LlamaConfig } from "./config.ts";
import { comesBefore, type Hookpoint, type Site } from "./hookpoints.ts";
import type { KvCache } from "./kv_cache.ts";
import { ropeTable } from "./rope_table.ts";
import {
  allocateLogits,
  allocateWorkspace,
  crop,
  mostTokens,
  type Workspace,
} from "./workspace.ts";

/** Reads or edits activations at one hookpoint. */
export interface Hook {
  readonly hookpoint: Hookpoint;
  /**
   * Called with what the hookpoint's module reads, before it computes: the normed residual stream of
   * `mlp`, the stream before the block of `residual`, the gate's product of `act_fn`. Good until the
   * module computes; rows are those of {@linkcode run}.
   */
  before?(recorder: Recorder, input: Rows, first: number): void;
  /**
   * Called when everything before is recorded; may record more, submit and wait.
   *
   * @param activations of tokens `first` to `first + activations.rows` of the batch: all of them at
   *   once for `mlp` and `residual`, piece by piece for `act_fn`
   */
  run(recorder: Recorder, activations: Rows, first: number): void | Promise<void>;
}

/** Tokens on the GPU whose sequences have a cache; those of one sequence in order. */
export interface CachedTokens extends TextPlaces {
  readonly count: number;
  /** [count] u32 */
  readonly ids: GPUBufferBinding;
}

/** What a pass knows of its tokens. */
interface PassTokens {
  readonly count: number;
  readonly ids: Binding;
  /** Within the token's own text. */
  readonly positions: Binding;
  readonly rope: GPUBuffer;
}

/**
 * Tokens from which a pass submits layer by layer, so that the GPU works while the rest is recorded; for
 * fewer a submit costs more than that gains.
 */
const MANY_TOKENS = 256;

/** Records the attention of one layer, from `space.qkv` to `space.attended`. */
type Attend = (recorder: Recorder, layer: number, space: Workspace) => void;

export class Llama implements Disposable {
  readonly #gpu: Gpu;
  readonly #checkpoint: Checkpoint;
  readonly #store: WeightStore;
  #workspace: Workspace & Disposable | undefined;
  #rope: { positions: number; table: Allocated<GPUBuffer> } | undefined;
  #norm: Allocated<GPUBuffer> | undefined;
  /** Logits of a piece of a batch over one shard of the vocabulary. */
  #logits: { tokens: number; rows: OwnedRows } | undefined;

  /**
   * Opens a checkpoint; its weights go to the GPU when they are first used.
   *
   * @param tensors of an HF checkpoint
   * @param where names the checkpoint in messages
   * @param store where weights live; shared with what else has to fit the memory budget
   * @throws InputError when the checkpoint does not hold what its config says
   */
  constructor(
    gpu: Gpu,
    readonly config: LlamaConfig,
    tensors: TensorSource,
    where: string,
    store: WeightStore,
  ) {
    this.#gpu = gpu;
    this.#checkpoint = new Checkpoint(config, tensors, where);
    this.#store = store;
    const { rows, columns, type } = this.#checkpoint.embedding();
    const [largest] = shardRanges(gpu, rows, columns, type);
    store.reserve("model", matrixBytes(gpu, largest.rows, columns, type));
    for (let layer = 0; layer < config.layers; layer++) {
      store.reserve("model", this.#checkpoint.layerBytes(gpu, layer));
    }
  }

  /** Most tokens of one batch on this adapter. */
  get mostTokens(): number {
    return mostTokens(this.#gpu, this.config);
  }

  /** Allocates now what batches of up to `tokens` tokens need. */
  prepare(tokens: number): void {
    this.#workspaceFor(tokens);
  }

  /**
   * The same, and what logits of `rows` rows at a time need.
   *
   * @returns stride of the widest block of {@linkcode eachLogits}
   */
  prepareScoring(tokens: number, rows = tokens): number {
    this.prepare(Math.max(tokens, rows));
    return this.#logitsFor(rows).stride;
  }

  /**
   * Runs the model over a batch and calls the hooks in the order of the pass. Work is submitted, not
   * awaited.
   *
   * @param hooks the pass stops after the last of them, unless `toTheEnd`
   * @returns the residual stream; after the last block when `toTheEnd`
   */
  async forward(batch: Batch, hooks: readonly Hook[], toTheEnd = false): Promise<Rows> {
    using owned = new DisposableStack();
    const upload = (label: string, values: Uint32Array) =>
      owned.use(this.#gpu.bufferOf(label, values)).resource;
    const positions = upload("token positions", batch.positions);
    const places = { firsts: upload("starts of texts", batch.starts), positions };
    const tokens = {
      count: batch.ids.length,
      ids: upload("token ids", batch.ids),
      positions,
      rope: this.#ropeTable(batch.positions.reduce((most, at) => Math.max(most, at), 0) + 1),
    };
    const attend: Attend = (recorder, _, { qkv, attended }) =>
      recordAttention(this.#gpu, recorder, this.config, qkv, places, attended);
    const recorder = this.#gpu.recorder();
    const residual = await this.#pass(recorder, tokens, attend, hooks, toTheEnd);
    recorder.submit();
    return residual;
  }

  /**
   * Records the whole model over tokens of sequences that have a cache: their first tokens, or some, or
   * one, that come after those the cache has. Keys and values go into the cache. Values are those of
   * {@linkcode forward}, to the bit. The last submit is the caller's: until then, what is bound has to
   * live.
   *
   * @returns the residual stream after the last block
   */
  async forwardCached(
    recorder: Recorder,
    tokens: CachedTokens,
    cache: KvCache,
    hooks: readonly Hook[] = [],
  ): Promise<Rows> {
    const attend: Attend = (recorder, layer, { qkv, attended }) =>
      recordCachedAttention(
        this.#gpu,
        recorder,
        this.config,
        qkv,
        cache.layers[layer],
        tokens,
        attended,
      );
    const rope = this.#ropeTable(cache.capacity);
    return await this.#pass(recorder, { ...tokens, rope }, attend, hooks, true);
  }

  async #pass(
    recorder: Recorder,
    tokens: PassTokens,
    attend: Attend,
    hooks: readonly Hook[],
    toTheEnd: boolean,
  ): Promise<Rows> {
    const last = toTheEnd ? undefined : lastOf(hooks);
    const layers = toTheEnd ? this.config.layers : last ? last.layer + 1 : 0;
    const space = crop(this.#workspaceFor(tokens.count), tokens.count);
    await this.#embed(recorder, tokens.ids, space.residual);
    // A block's output that is still to be added, where nobody looks at the stream in between.
    let update: Rows | undefined;
    for (let layer = 0; layer < layers; layer++) {
      const at = (site: Site) =>
        hooks.filter(({ hookpoint }) => hookpoint.layer === layer && hookpoint.site === site);
      const stop = layer === last?.layer ? last.site : undefined;
      for (const hook of at("residual")) hook.before?.(recorder, space.residual, 0);
      const lease = await this.#store.use(
        `layer ${layer}`,
        this.#checkpoint.layerBytes(this.#gpu, layer),
        () => this.#checkpoint.uploadLayer(this.#gpu, layer),
      );
      const { weights } = lease;
      this.#recordNorm(recorder, space, weights.attentionNorm, update);
      this.#recordAttention(recorder, weights, space, tokens, () => attend(recorder, layer, space));
      this.#recordNorm(recorder, space, weights.mlpNorm, space.update);
      update = undefined;
      for (const hook of at("mlp")) hook.before?.(recorder, space.normed, 0);
      await this.#recordMlp(recorder, weights, space, at("act_fn"), stop === "act_fn");
      if (stop !== "act_fn") {
        for (const hook of at("mlp")) await hook.run(recorder, space.update, 0);
        if (layer === layers - 1 || looksAtResidual(hooks, layer)) {
          recordAdd(this.#gpu, recorder, space.residual, space.update);
        } else update = space.update;
        for (const hook of at("residual")) await hook.run(recorder, space.residual, 0);
      }
      if (tokens.count >= MANY_TOKENS) recorder.submit();
      await giveBack(recorder, lease);
    }
    return space.residual;
  }

  /**
   * Logits of some tokens after a forward pass `toTheEnd`.
   *
   * @param residual what {@linkcode forward} returned
   * @param rows token positions in the batch
   * @returns [rows.length, vocabularySize]; the caller disposes of them
   */
  async logits(residual: Rows, rows: readonly number[]): Promise<OwnedRows> {
    const gpu = this.#gpu;
    const { hiddenSize, vocabularySize, normEpsilon } = this.config;
    using chosen = allocateRows(gpu, "chosen residuals", rows.length, hiddenSize);
    using normed = allocateRows(gpu, "final norm", rows.length, hiddenSize);
    const weight = await this.#finalNorm();
    const logits = allocateRows(gpu, "logits", rows.length, vocabularySize);
    const recorder = gpu.recorder();
    const bytes = residual.stride * 4;
    rows.forEach((row, i) =>
      recorder.copy(residual.buffer, residual.offset + row * bytes, chosen.buffer, i * bytes, bytes)
    );
    recordRmsNorm(gpu, recorder, chosen, weight, normEpsilon, normed);
    await this.#eachShard(recorder, this.#checkpoint.unembedding(), (shard) => {
      recordShardMatMul(gpu, recorder, normed, shard, logits, {}, 0);
    });
    recorder.submit();
    return logits;
  }

  /**
   * ln p(target) at every token of a batch, after a forward pass `toTheEnd`.
   *
   * @param residual what {@linkcode forward} returned
   * @param targets the token whose probability is asked for, of each row; the one that comes next,
   *   usually
   */
  async logProbabilities(
    residual: Rows,
    targets: Uint32Array,
  ): Promise<Float64Array<ArrayBuffer>> {
    using scores = new TargetLogProbabilities(this.#gpu, targets);
    const recorder = this.#gpu.recorder();
    await this.eachLogits(
      recorder,
      residual,
      (block, row, token) => scores.record(recorder, block, row, token),
    );
    recorder.submit();
    return await scores.read();
  }

  /**
   * Logits after a pass to the end, for one shard of the vocabulary and some of the rows at a time; they
   * stay on the GPU, and only until the next block. The last submit is the caller's.
   *
   * @param residual what the pass returned, or as many rows of it or fewer, in any order
   * @param use records what is done with a block: logits of rows `firstRow` on (a multiple of 64) over
   *   the tokens `firstToken` on; it may overwrite them
   */
  async eachLogits(
    recorder: Recorder,
    residual: Rows,
    use: (logits: Rows, firstRow: number, firstToken: number) => void,
  ): Promise<void> {
    const gpu = this.#gpu;
    const { rows } = residual;
    const { normed } = crop(this.#workspaceFor(rows), rows);
    const logits = this.#logitsFor(rows);
    const weight = await this.#finalNorm();
    recordRmsNorm(gpu, recorder, residual, weight, this.config.normEpsilon, normed);
    await this.#eachShard(recorder, this.#checkpoint.unembedding(), (shard) => {
      for (let from = 0; from < rows; from += logits.rows) {
        const to = Math.min(rows, from + logits.rows);
        const block = { ...rowsBetween(logits, 0, to - from), width: shard.rows };
        const input = rowsBetween(normed, from, to);
        recordShardMatMul(gpu, recorder, input, shard, block, {}, shard.first);
        use(block, from, shard.first);
      }
    });
  }

  async #finalNorm(): Promise<GPUBuffer> {
    this.#norm ??= this.#gpu.bufferOf("final norm weight", await this.#checkpoint.finalNorm());
    return this.#norm.resource;
  }

  #logitsFor(tokens: number): Rows {
    if (!this.#logits || this.#logits.tokens < tokens) {
      this.#logits?.rows[Symbol.dispose]();
      this.#logits = undefined;
      const { rows, columns, type } = this.#checkpoint.unembedding();
      const [widest] = shardRanges(this.#gpu, rows, columns, type);
      this.#logits = { tokens, rows: allocateLogits(this.#gpu, widest.rows, tokens) };
    }
    return this.#logits.rows;
  }

  #workspaceFor(tokens: number): Workspace {
    if (!this.#workspace || this.#workspace.residual.rows < tokens) {
      this.#workspace?.[Symbol.dispose]();
      this.#workspace = undefined;
      this.#workspace = allocateWorkspace(this.#gpu, this.config, tokens);
      const { normed, attended, gate } = this.#workspace;
      for (const { rows, width } of [normed, attended, gate]) prepareMatMul(this.#gpu, rows, width);
      preparePackedAttention(this.#gpu, tokens, this.config);
    }
    return this.#workspace;
  }

  /** Holds at least `positions` positions. */
  #ropeTable(positions: number): GPUBuffer {
    if (!this.#rope || this.#rope.positions < positions) {
      this.#rope?.table[Symbol.dispose]();
      const rounded = Math.ceil(positions / 256) * 256;
      const table = this.#gpu.bufferOf("rotary table", ropeTable(this.config, rounded));
      this.#rope = { positions: rounded, table };
    }
    return this.#rope.table.resource;
  }

  async #embed(recorder: Recorder, ids: Binding, residual: Rows): Promise<void> {
    const source = this.#checkpoint.embedding();
    await this.#eachShard(
      recorder,
      source,
      (shard) => recordEmbed(this.#gpu, recorder, shard, ids, residual),
    );
  }

  /** Uses a large matrix shard by shard, so that only one has to be on the GPU at a time. */
  async #eachShard(
    recorder: Recorder,
    source: MatrixSource,
    record: (shard: Shard) => void,
  ): Promise<void> {
    const { name, rows, columns, type } = source;
    for (const range of shardRanges(this.#gpu, rows, columns, type)) {
      const lease = await this.#store.use(
        `${name} from ${range.first}`,
        matrixBytes(this.#gpu, range.rows, columns, type),
        () => uploadShard(this.#gpu, source, range),
      );
      record(lease.weights);
      await giveBack(recorder, lease);
    }
  }

  /** Records `space.normed` of the residual stream, to which an update is added first. */
  #recordNorm(recorder: Recorder, space: Workspace, weight: GPUBuffer, update?: Rows): void {
    const { normEpsilon } = this.config;
    recordRmsNorm(this.#gpu, recorder, space.residual, weight, normEpsilon, space.normed, update);
  }

  /** From `space.normed`; leaves the attention's output in `space.update`. */
  #recordAttention(
    recorder: Recorder,
    layer: Layer,
    space: Workspace,
    { positions, rope }: PassTokens,
    attend: () => void,
  ): void {
    const gpu = this.#gpu;
    const { heads, keyValueHeads, headDim } = this.config;
    this.#recordLinear(recorder, space.normed, layer.qkv, space.qkv);
    recordRope(gpu, recorder, space.qkv, positions, rope, heads + keyValueHeads, headDim);
    attend();
    this.#recordLinear(recorder, space.attended, layer.output, space.update);
  }

  /** From `space.normed`; leaves the MLP's output in `space.update`, unless it stops at the neurons. */
  async #recordMlp(
    recorder: Recorder,
    layer: Layer,
    space: Workspace,
    neuronHooks: readonly Hook[],
    stopAtNeurons: boolean,
  ): Promise<void> {
    const gpu = this.#gpu;
    const tokens = space.residual.rows;
    for (let from = 0; from < tokens; from += space.gate.rows) {
      const to = Math.min(tokens, from + space.gate.rows);
      const normed = rowsBetween(space.normed, from, to);
      const gate = rowsBetween(space.gate, 0, to - from);
      const up = rowsBetween(space.up, 0, to - from);
      if (neuronHooks.length > 0) {
        this.#recordGated(recorder, normed, layer.gated, gate, up);
        for (const hook of neuronHooks) hook.before?.(recorder, gate, from);
        recordSilu(gpu, recorder, gate);
        for (const hook of neuronHooks) await hook.run(recorder, gate, from);
        if (stopAtNeurons) continue;
        recordMultiply(gpu, recorder, gate, up);
      } else this.#recordGated(recorder, normed, layer.gated, gate);
      this.#recordLinear(recorder, gate, layer.down, rowsBetween(space.update, from, to));
    }
  }

  #recordGated(recorder: Recorder, x: Rows, { weight, bias }: Linear, y: Rows, up?: Rows): void {
    recordGatedMatMul(this.#gpu, recorder, x, weight, y, { bias, up });
  }

  #recordLinear(recorder: Recorder, x: Rows, { weight, bias }: Linear, y: Rows): void {
    recordMatMul(this.#gpu, recorder, x, weight, y, { bias });
  }

  [Symbol.dispose](): void {
    this.#workspace?.[Symbol.dispose]();
    this.#rope?.table[Symbol.dispose]();
    this.#norm?.[Symbol.dispose]();
    this.#logits?.rows[Symbol.dispose]();
  }
}

function lastOf(hooks: readonly Hook[]): Hookpoint | undefined {
  return hooks.map(({ hookpoint }) => hookpoint)
    .reduce<Hookpoint | undefined>((a, b) => (a && comesBefore(b, a) ? a : b), undefined);
}

/** Whether a hook sees the residual stream between this block and the next. */
function looksAtResidual(hooks: readonly Hook[], layer: number): boolean {
  return hooks.some(({ hookpoint, before }) =>
    hookpoint.site === "residual" &&
    (hookpoint.layer === layer || (before !== undefined && hookpoint.layer === layer + 1))
  );
}

/** Gives weights back, once what uses them is submitted where they go. */
async function giveBack(recorder: Recorder, lease: Lease<unknown>): Promise<void> {
  if (lease.stays) return;
  recorder.submit();
  await lease.release();
}
