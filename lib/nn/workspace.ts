/** Where the activations of a batch live while it goes through the model. */
import type { Gpu } from "../gpu/device.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween, strideOf } from "../gpu/rows.ts";
import type { LlamaConfig } from "./config.ts";

/** Activations of one batch; every matrix has one row per token. */
export interface Workspace {
  readonly residual: Rows;
  /** Output of the norms; input of the products after them. */
  readonly normed: Rows;
  /** Queries, keys and values side by side. */
  readonly qkv: Rows;
  readonly attended: Rows;
  /** Output of attention, then of the MLP, before the residual add. */
  readonly update: Rows;
  /** MLP neurons, for as many tokens at a time as fit one binding. */
  readonly gate: Rows;
  readonly up: Rows;
}

/** Width of queries, keys and values side by side. */
export function qkvWidth({ heads, keyValueHeads, headDim }: LlamaConfig): number {
  return (heads + 2 * keyValueHeads) * headDim;
}

/** Most tokens of a batch: the widest activation has to fit one binding. */
export function mostTokens(gpu: Gpu, config: LlamaConfig): number {
  return tokensPerBinding(gpu, Math.max(config.hiddenSize, qkvWidth(config)));
}

function tokensPerBinding(gpu: Gpu, width: number): number {
  return Math.floor(gpu.limits.maxStorageBufferBindingSize / (strideOf(width) * 4));
}

/** Most bytes of wide values (neurons, logits) that are kept at a time: more is not faster. */
const PIECE_BYTES = 64 * 1024 * 1024;

/**
 * Of `tokens` tokens, as many as have their `width` values each at a time: whole strides, so that a
 * piece of any array of one word per token can be bound.
 */
function tokensPerPiece(gpu: Gpu, width: number, tokens: number): number {
  const some = Math.floor(PIECE_BYTES / (strideOf(width) * 4));
  const fits = Math.min(some, tokensPerBinding(gpu, width));
  return Math.min(tokens, Math.max(64, Math.floor(fits / 64) * 64));
}

/** Allocates logits over `width` tokens of the vocabulary, for a piece of a batch of `tokens` tokens. */
export function allocateLogits(gpu: Gpu, width: number, tokens: number): OwnedRows {
  return allocateRows(gpu, "logits", tokensPerPiece(gpu, width, tokens), width);
}

/** Allocates a workspace for batches of up to `tokens` tokens. */
export function allocateWorkspace(
  gpu: Gpu,
  config: LlamaConfig,
  tokens: number,
): Workspace & Disposable {
  const { hiddenSize, mlpSize, heads, headDim } = config;
  const neurons = tokensPerPiece(gpu, mlpSize, tokens);
  using undo = new DisposableStack();
  const rows = (label: string, count: number, width: number) =>
    undo.use(allocateRows(gpu, label, count, width));
  const workspace = {
    residual: rows("residual stream", tokens, hiddenSize),
    normed: rows("normed residuals", tokens, hiddenSize),
    qkv: rows("queries, keys and values", tokens, qkvWidth(config)),
    attended: rows("attention heads", tokens, heads * headDim),
    update: rows("block output", tokens, hiddenSize),
    gate: rows("MLP gate", neurons, mlpSize),
    up: rows("MLP up", neurons, mlpSize),
  };
  const owned = undo.move();
  return { ...workspace, [Symbol.dispose]: () => owned[Symbol.dispose]() };
}

/** The part of a workspace that a batch of `tokens` tokens uses. */
export function crop(workspace: Workspace, tokens: number): Workspace {
  const first = (rows: Rows) => rowsBetween(rows, 0, Math.min(tokens, rows.rows));
  return {
    residual: first(workspace.residual),
    normed: first(workspace.normed),
    qkv: first(workspace.qkv),
    attended: first(workspace.attended),
    update: first(workspace.update),
    gate: first(workspace.gate),
    up: first(workspace.up),
  };
}
