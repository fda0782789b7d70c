/**
 * A model of Llama-3.2-1B's exact shape with random weights, and an SAE of 131,072 latents at each of
 * its MLP outputs: as much to read, keep and compute as the real ones, without an account or a
 * download. Written in pieces, so that it takes no memory.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { progress } from "../lib/cli/progress.ts";
import { prepareFolder, writeAtomic } from "../lib/data/files.ts";
import { InputError } from "../lib/formats/input_error.ts";

/** Llama-3.2-1B (spec language-specific-features, section 1). */
const SHAPE = {
  hidden: 2048,
  mlp: 8192,
  heads: 32,
  keyValueHeads: 8,
  headDim: 64,
  vocabulary: 128256,
} as const;

/** Layers of Llama-3.2-1B. */
export const LAYERS = 16;

/** EleutherAI/sae-Llama-3.2-1B-131k. */
const LATENTS = 131072;
const K = 32;

type Shape = readonly [rows: number, columns: number] | readonly [length: number];

interface PlannedTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Ones, zeros or random values. */
  readonly fill: "random" | "ones" | "zeros";
}

/**
 * Multiplications and additions per token of the products: the blocks and the encoders. The
 * embedding is a lookup, attention between tokens depends on the texts' lengths; both are left out.
 */
export function flopsPerToken(layers: number): number {
  const blocks = modelTensors(layers).filter(({ name }) => name.includes(".layers."))
    .reduce((sum, { shape }) => sum + 2 * elements(shape), 0);
  return blocks + layers * 2 * LATENTS * SHAPE.hidden;
}

/** What the model takes on disk with so many layers, SAEs included. */
export function randomModelBytes(layers: number): number {
  const saes = layers * (LATENTS * (SHAPE.hidden + 1) + SHAPE.hidden) * 2;
  return saes + modelTensors(layers).reduce((sum, { shape }) => sum + 2 * elements(shape), 0);
}

/** Folders of a model, in Hugging Face layout, and of its SAEs. */
export interface RandomModel {
  readonly model: string;
  readonly saes: string;
}

/** The embedded model's: its vocabulary is smaller than the random model's, which harms nothing. */
const TOKENIZER = fileURLToPath(new URL("../assets/demo/model/tokenizer.json", import.meta.url));

/**
 * Writes a random model into a folder and shows how far it is; what is there already is kept.
 *
 * @throws InputError when there is no room for it
 */
export async function prepareRandomModel(folder: string, layers: number): Promise<RandomModel> {
  const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
  const total = mebibytes(randomModelBytes(layers));
  const shown = progress({ label: "writing the model", total, unit: "MiB" });
  try {
    await writeRandomModel(folder, layers, TOKENIZER, (bytes) => shown.update(mebibytes(bytes)));
  } finally {
    shown.done();
  }
  return { model: join(folder, "model"), saes: join(folder, "saes") };
}

/**
 * Writes `model/` and `saes/layers.N.mlp/` into a folder; what is there already is kept.
 *
 * @param tokenizer path of a tokenizer.json to go with it; its vocabulary may be smaller
 * @param wrote told the bytes written so far
 */
async function writeRandomModel(
  folder: string,
  layers: number,
  tokenizer: string,
  wrote: (bytes: number) => void,
): Promise<void> {
  const model = join(folder, "model");
  await prepareFolder(model);
  let done = 0;
  const count = (bytes: number) => wrote(done += bytes);
  await writeTensors(join(model, "model.safetensors"), modelTensors(layers), 1, count);
  await Deno.copyFile(tokenizer, join(model, "tokenizer.json"));
  await writeAtomic(join(model, "config.json"), JSON.stringify(modelConfig(layers), null, 2));
  for (let layer = 0; layer < layers; layer++) {
    const sae = join(folder, "saes", `layers.${layer}.mlp`);
    await prepareFolder(sae);
    await writeTensors(join(sae, "sae.safetensors"), SAE_TENSORS, 1000 + layer, count);
    const config = { activation: "topk", d_in: SHAPE.hidden, num_latents: LATENTS, k: K };
    await writeAtomic(join(sae, "cfg.json"), JSON.stringify(config, null, 2));
  }
}

const SAE_TENSORS: readonly PlannedTensor[] = [
  { name: "encoder.weight", shape: [LATENTS, SHAPE.hidden], fill: "random" },
  { name: "encoder.bias", shape: [LATENTS], fill: "zeros" },
  { name: "b_dec", shape: [SHAPE.hidden], fill: "zeros" },
];

function modelTensors(layers: number): PlannedTensor[] {
  const { hidden, mlp, heads, keyValueHeads, headDim, vocabulary } = SHAPE;
  const random = (name: string, ...shape: [number, number]): PlannedTensor => {
    return { name: `model.${name}.weight`, shape, fill: "random" };
  };
  const norm = (name: string): PlannedTensor => {
    return { name: `model.${name}.weight`, shape: [hidden], fill: "ones" };
  };
  const block = (layer: number) => [
    norm(`layers.${layer}.input_layernorm`),
    random(`layers.${layer}.self_attn.q_proj`, heads * headDim, hidden),
    random(`layers.${layer}.self_attn.k_proj`, keyValueHeads * headDim, hidden),
    random(`layers.${layer}.self_attn.v_proj`, keyValueHeads * headDim, hidden),
    random(`layers.${layer}.self_attn.o_proj`, hidden, heads * headDim),
    norm(`layers.${layer}.post_attention_layernorm`),
    random(`layers.${layer}.mlp.gate_proj`, mlp, hidden),
    random(`layers.${layer}.mlp.up_proj`, mlp, hidden),
    random(`layers.${layer}.mlp.down_proj`, hidden, mlp),
  ];
  return [
    random("embed_tokens", vocabulary, hidden),
    ...Array.from({ length: layers }, (_, layer) => block(layer)).flat(),
    norm("norm"),
  ];
}

function modelConfig(layers: number) {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    hidden_size: SHAPE.hidden,
    intermediate_size: SHAPE.mlp,
    num_hidden_layers: layers,
    num_attention_heads: SHAPE.heads,
    num_key_value_heads: SHAPE.keyValueHeads,
    head_dim: SHAPE.headDim,
    vocab_size: SHAPE.vocabulary,
    rms_norm_eps: 1e-5,
    rope_theta: 500000,
    rope_scaling: {
      rope_type: "llama3",
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
  };
}

/** Values per write. */
const PIECE = 4 * 2 ** 20;
const ONE = 0x3f80;

/** Writes bf16 tensors as a safetensors file, unless it is there. */
async function writeTensors(
  path: string,
  tensors: readonly PlannedTensor[],
  seed: number,
  wrote: (bytes: number) => void,
): Promise<void> {
  const total = tensors.reduce((sum, { shape }) => sum + 2 * elements(shape), 0);
  if (await exists(path)) return wrote(total);
  const part = `${path}.part`;
  try {
    using file = await Deno.create(part);
    await writeAll(file, header(tensors));
    const random = randomBf16(seed);
    for (const { shape, fill } of tensors) {
      for (let left = elements(shape); left > 0; left -= PIECE) {
        const piece = new Uint16Array(Math.min(left, PIECE));
        if (fill === "random") random(piece);
        else if (fill === "ones") piece.fill(ONE);
        await writeAll(file, new Uint8Array(piece.buffer));
        wrote(piece.byteLength);
      }
    }
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw new InputError(`Cannot write ${path}: ${(error as Error).message}; free some space.`);
  }
  await Deno.rename(part, path);
}

function header(tensors: readonly PlannedTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const begin = end;
    end += 2 * elements(shape);
    return [name, { dtype: "BF16", shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** Fills arrays with random bf16 values of ±[2^-6, 2^-5): rows of 2048 then have norm 1. */
function randomBf16(seed: number): (piece: Uint16Array) => void {
  let state = seed;
  return (piece) => {
    for (let i = 0; i < piece.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      piece[i] = (state & 0x807f) | (121 << 7);
    }
  };
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

function elements(shape: Shape): number {
  return shape.reduce<number>((product, n) => product * n, 1);
}
