/**
 * A Llama in a GGUF file, under the names, row order and config of a Hugging Face checkpoint.
 *
 * Source: LlamaModel of llama.cpp's convert_hf_to_gguf.py, undone here; metadata keys of ggml's
 * docs/gguf.md.
 */
import { DTYPE_BYTES, toFloat32 } from "../formats/dtype.ts";
import type { GgufValue } from "../formats/gguf_values.ts";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import type { LlamaConfig, RopeScaling } from "./config.ts";

/** A Llama as {@linkcode Llama} opens it. */
export interface GgufLlama {
  readonly config: LlamaConfig;
  readonly tensors: TensorSource;
}

/** Divisors of the rotary frequencies: part of the config elsewhere. */
const ROPE_DIVISORS = "rope_freqs.weight";
const EMBEDDING = "token_embd.weight";
const UNEMBEDDING = "output.weight";

const MODULES: ReadonlyMap<string, string> = new Map([
  ["token_embd", "model.embed_tokens"],
  ["output_norm", "model.norm"],
  ["output", "lm_head"],
]);

const BLOCK_MODULES: ReadonlyMap<string, string> = new Map([
  ["attn_norm", "input_layernorm"],
  ["attn_q", "self_attn.q_proj"],
  ["attn_k", "self_attn.k_proj"],
  ["attn_v", "self_attn.v_proj"],
  ["attn_output", "self_attn.o_proj"],
  ["ffn_norm", "post_attention_layernorm"],
  ["ffn_gate", "mlp.gate_proj"],
  ["ffn_up", "mlp.up_proj"],
  ["ffn_down", "mlp.down_proj"],
]);

/**
 * The Llama of a GGUF; no weights are read but the rotary divisors, if there are any.
 *
 * @param metadata of the file's header
 * @param stored its tensors under GGUF names
 * @param where names the file in messages
 * @throws InputError for another architecture, and for anything this program would compute otherwise
 */
export async function ggufLlama(
  metadata: ReadonlyMap<string, GgufValue>,
  stored: TensorSource,
  where: string,
): Promise<GgufLlama> {
  const config = await configOf(new Metadata(metadata, where), stored);
  const sources = new Map<string, StoredTensor>();
  for (const name of stored.names()) {
    if (name === ROPE_DIVISORS) continue;
    sources.set(huggingFaceName(name, where), { name, heads: interleavedHeads(name, config) });
  }
  return { config, tensors: new CheckpointOfGguf(stored, sources, where) };
}

async function configOf(metadata: Metadata, stored: TensorSource): Promise<LlamaConfig> {
  metadata.refuseUnless("general.architecture", ["llama"]);
  metadata.refuseUnless("llama.expert_count", [0, undefined]);
  const hiddenSize = metadata.size("llama.embedding_length");
  const heads = metadata.size("llama.attention.head_count");
  const headDim = metadata.size("llama.attention.key_length", hiddenSize / heads);
  const keyValueHeads = metadata.size("llama.attention.head_count_kv", heads);
  if (heads % keyValueHeads !== 0) {
    throw metadata.bad("llama.attention.head_count_kv", `a divisor of the ${heads} heads`);
  }
  if (headDim % 4 !== 0) throw metadata.bad("llama.attention.key_length", "a multiple of 4");
  metadata.refuseUnless("llama.attention.value_length", [headDim, undefined]);
  metadata.refuseUnless("llama.rope.dimension_count", [headDim, undefined]);
  const names = new Set(stored.names());
  return {
    layers: metadata.size("llama.block_count"),
    hiddenSize,
    mlpSize: metadata.size("llama.feed_forward_length"),
    heads,
    keyValueHeads,
    headDim,
    vocabularySize: stored.info(EMBEDDING).shape[0],
    normEpsilon: metadata.positive("llama.attention.layer_norm_rms_epsilon"),
    ropeTheta: metadata.positive("llama.rope.freq_base", 10000),
    ropeScaling: names.has(ROPE_DIVISORS)
      ? await ropeDivisors(stored, headDim / 2, metadata)
      : ropeScaling(metadata),
    tiedEmbeddings: !names.has(UNEMBEDDING),
    attentionBias: names.has("blk.0.attn_q.bias"),
    mlpBias: names.has("blk.0.ffn_up.bias"),
    bosTokenId: metadata.optionalId("tokenizer.ggml.bos_token_id"),
  };
}

function ropeScaling(metadata: Metadata): RopeScaling {
  const key = "llama.rope.scaling.type";
  metadata.refuseUnless(key, ["none", "linear", undefined]);
  if (metadata.value(key) !== "linear") return { type: "none" };
  return { type: "linear", factor: metadata.positive("llama.rope.scaling.factor") };
}

async function ropeDivisors(
  stored: TensorSource,
  frequencies: number,
  { where }: Metadata,
): Promise<RopeScaling> {
  const { dtype, shape } = stored.info(ROPE_DIVISORS);
  if (shape.length === 1 && shape[0] === frequencies) {
    const divisors = [...toFloat32(await stored.read(ROPE_DIVISORS), dtype, ROPE_DIVISORS)];
    if (divisors.every((divisor) => divisor > 0)) return { type: "divisors", divisors };
  }
  throw new InputError(
    `${where}: "${ROPE_DIVISORS}" of shape [${shape}] is not a positive divisor for each of the ` +
      `${frequencies} rotary frequencies; fetch the file again.`,
  );
}

/** @throws InputError for a tensor that a Llama does not have: it would be left out silently */
function huggingFaceName(name: string, where: string): string {
  const [, block, stem, leaf] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const module = (block === undefined ? MODULES : BLOCK_MODULES).get(stem);
  if (module === undefined) {
    throw new InputError(
      `${where} has a tensor ${JSON.stringify(name)}, which is not part of a Llama as it is ` +
        `supported here.`,
    );
  }
  return block === undefined ? `${module}.${leaf}` : `model.layers.${block}.${module}.${leaf}`;
}

/** Heads whose rows llama.cpp interleaves; undefined for other tensors. */
function interleavedHeads(name: string, config: LlamaConfig): number | undefined {
  if (/\.attn_q\.(weight|bias)$/.test(name)) return config.heads;
  if (/\.attn_k\.(weight|bias)$/.test(name)) return config.keyValueHeads;
  return undefined;
}

/** Where a tensor comes from. */
interface StoredTensor {
  readonly name: string;
  /** Set where the rows of each head are interleaved. */
  readonly heads: number | undefined;
}

/**
 * The tensors of a GGUF as those of a Hugging Face checkpoint.
 *
 * Rotary embeddings turn pairs of rows. Hugging Face pairs row i of a head with row i + d/2, llama.cpp
 * rows 2i and 2i + 1, so the converter interleaves the two halves of each head of q and k: row
 * i + s d/2 (s = 0, 1) of a head is stored as its row 2i + s.
 */
class CheckpointOfGguf implements TensorSource {
  readonly metadata = Object.create(null) as Record<string, string>;

  constructor(
    readonly stored: TensorSource,
    readonly sources: ReadonlyMap<string, StoredTensor>,
    readonly where: string,
  ) {}

  names() {
    return [...this.sources.keys()];
  }

  info(name: string) {
    return this.stored.info(this.#source(name).name);
  }

  async read(name: string, rowStart = 0, rowEnd?: number) {
    const source = this.#source(name);
    const { dtype, shape } = this.stored.info(source.name);
    if (source.heads === undefined) return await this.stored.read(source.name, rowStart, rowEnd);
    const last = rowEnd ?? shape[0];
    const headRows = this.#headRows(source);
    const rowBytes = (shape[1] ?? 1) * DTYPE_BYTES[dtype];
    const rows = new Uint8Array((last - rowStart) * rowBytes);
    // head by head: no more than one is held beside the result
    for (let row = rowStart; row < last;) {
      const first = row - row % headRows;
      const head = await this.stored.read(source.name, first, first + headRows);
      for (const end = Math.min(last, first + headRows); row < end; row++) {
        const at = storedRow(row - first, headRows) * rowBytes;
        rows.set(head.subarray(at, at + rowBytes), (row - rowStart) * rowBytes);
      }
    }
    return rows;
  }

  async readColumns(name: string, from: number, to: number) {
    const source = this.#source(name);
    const block = await this.stored.readColumns(source.name, from, to);
    if (source.heads === undefined) return block;
    const headRows = this.#headRows(source);
    const rowBytes = (to - from) * DTYPE_BYTES[this.stored.info(source.name).dtype];
    const rows = new Uint8Array(block.length);
    for (let row = 0; row * rowBytes < rows.length; row++) {
      const at = (row - row % headRows + storedRow(row % headRows, headRows)) * rowBytes;
      rows.set(block.subarray(at, at + rowBytes), row * rowBytes);
    }
    return rows;
  }

  /** @throws InputError when the rows are not whole heads of whole pairs */
  #headRows({ name, heads = 1 }: StoredTensor): number {
    const [rows] = this.stored.info(name).shape;
    if (rows % (2 * heads) === 0) return rows / heads;
    throw new InputError(
      `${this.where}: "${name}" has ${rows} rows, which are not ${heads} heads; fetch the file again.`,
    );
  }

  #source(name: string): StoredTensor {
    const source = this.sources.get(name);
    if (source) return source;
    throw new InputError(
      `${this.where} has nothing that a checkpoint calls ${JSON.stringify(name)} among its ` +
        `${this.sources.size} tensors; check that this is the right file for this model.`,
    );
  }
}

/** Row of a stored head that holds row `row` of the checkpoint's. */
function storedRow(row: number, headRows: number): number {
  const half = headRows / 2;
  return row < half ? 2 * row : 2 * (row - half) + 1;
}

/** Metadata with checks that name the key. */
class Metadata {
  constructor(readonly values: ReadonlyMap<string, GgufValue>, readonly where: string) {}

  value(key: string): GgufValue | undefined {
    return this.values.get(key);
  }

  size(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
    throw this.bad(key, "a positive integer");
  }

  positive(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (typeof value === "number" && value > 0 && value < Infinity) return value;
    throw this.bad(key, "a positive number");
  }

  optionalId(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
    throw this.bad(key, "a token id");
  }

  refuseUnless(key: string, supported: readonly (GgufValue | undefined)[]): void {
    if (supported.includes(this.value(key))) return;
    const names = supported.filter((value) => value !== undefined);
    throw this.bad(key, names.map((value) => JSON.stringify(value)).join(" or "));
  }

  bad(key: string, expected: string): InputError {
    const value = this.value(key);
    const found = value === undefined
      ? "missing"
      : typeof value === "object"
      ? "an array"
      : JSON.stringify(typeof value === "string" ? value.slice(0, 80) : String(value));
    return new InputError(
      `${this.where}: metadata "${key}" is ${found}, but only ${expected} is supported.`,
    );
  }
}
