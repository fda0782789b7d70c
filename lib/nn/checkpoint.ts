/** The weights of a Llama by name: what a checkpoint has to hold, and how it goes to the GPU. */
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import type { Gpu } from "../gpu/device.ts";
import { gatedMatrix, gatedVector, gateTurn } from "../gpu/gated_matrix.ts";
import { type Matrix, matrixBytes, type MatrixSource, uploadMatrix } from "../gpu/matrix.ts";
import type { LlamaConfig } from "./config.ts";
import { inOneType, matrixOf, stacked, vectorOf } from "./weights.ts";

/** A linear layer on the GPU. */
export interface Linear {
  readonly weight: Matrix;
  /** [rows of weight] f32 */
  readonly bias: GPUBuffer | undefined;
}

/** The weights of one block on the GPU. */
export interface Layer extends Disposable {
  readonly attentionNorm: GPUBuffer;
  readonly qkv: Linear;
  readonly output: Linear;
  readonly mlpNorm: GPUBuffer;
  /** The gate and what it gates, by turns (lib/gpu/gated_matrix.ts). */
  readonly gated: Linear;
  readonly down: Linear;
}

/** The products of a block: name of the module, its parts, and where its bias is announced. */
const LINEARS = {
  qkv: { module: "self_attn", parts: ["q_proj", "k_proj", "v_proj"], bias: "attentionBias" },
  output: { module: "self_attn", parts: ["o_proj"], bias: "attentionBias" },
  gated: { module: "mlp", parts: ["gate_proj", "up_proj"], bias: "mlpBias" },
  down: { module: "mlp", parts: ["down_proj"], bias: "mlpBias" },
} as const;

type LinearName = keyof typeof LINEARS;

/** A checkpoint in HF layout, with or without `model.` in front of its names. */
export class Checkpoint {
  readonly #prefix: string;

  /** @param where names the checkpoint in messages */
  constructor(
    readonly config: LlamaConfig,
    readonly tensors: TensorSource,
    readonly where: string,
  ) {
    this.#prefix = tensors.names().includes("model.embed_tokens.weight") ? "model." : "";
  }

  /** [vocabularySize, hiddenSize] */
  embedding(): MatrixSource {
    const { vocabularySize, hiddenSize } = this.config;
    return this.#matrix(`${this.#prefix}embed_tokens.weight`, vocabularySize, hiddenSize);
  }

  /** [vocabularySize, hiddenSize]; the embedding itself where the two are tied. */
  unembedding(): MatrixSource {
    const { vocabularySize, hiddenSize, tiedEmbeddings } = this.config;
    return tiedEmbeddings
      ? this.embedding()
      : this.#matrix("lm_head.weight", vocabularySize, hiddenSize);
  }

  /** [stride of hiddenSize] f32 */
  finalNorm(): Promise<Float32Array<ArrayBuffer>> {
    return this.#vector(`${this.#prefix}norm.weight`, this.config.hiddenSize);
  }

  /** Bytes that one block takes on the GPU, its small vectors left out. */
  layerBytes(gpu: Gpu, layer: number): number {
    return (Object.keys(LINEARS) as LinearName[])
      .map((name) => this.#source(gpu, layer, name))
      .reduce((sum, { rows, columns, type }) => sum + matrixBytes(gpu, rows, columns, type), 0);
  }

  /**
   * Uploads one block.
   *
   * @throws InputError for tensors that are missing or have other shapes than the config says
   */
  async uploadLayer(gpu: Gpu, layer: number): Promise<Layer> {
    using undo = new DisposableStack();
    const norm = async (name: string) => {
      const weight = await this.#vector(this.#name(layer, name, "weight"), this.config.hiddenSize);
      return undo.use(gpu.bufferOf(name, weight)).resource;
    };
    const linear = async (name: LinearName): Promise<Linear> => {
      const source = this.#source(gpu, layer, name);
      const weight = undo.use(await uploadMatrix(gpu, source));
      const values = await this.#bias(gpu, layer, name);
      return { weight, bias: values && undo.use(gpu.bufferOf(`${name} bias`, values)).resource };
    };
    const weights = {
      attentionNorm: await norm("input_layernorm"),
      qkv: await linear("qkv"),
      output: await linear("output"),
      mlpNorm: await norm("post_attention_layernorm"),
      gated: await linear("gated"),
      down: await linear("down"),
    };
    const owned = undo.move();
    return { ...weights, [Symbol.dispose]: () => owned[Symbol.dispose]() };
  }

  #source(gpu: Gpu, layer: number, name: LinearName): MatrixSource {
    const { module, parts } = LINEARS[name];
    const sources = inOneType(parts.map((part) => {
      const { outputs, inputs } = this.#sizeOf(part);
      return this.#matrix(this.#name(layer, `${module}.${part}`, "weight"), outputs, inputs);
    }));
    const title = `layer ${layer} ${name}`;
    return name === "gated"
      ? gatedMatrix(title, sources[0], sources[1], gateTurn(gpu))
      : stacked(title, sources);
  }

  async #bias(
    gpu: Gpu,
    layer: number,
    name: LinearName,
  ): Promise<Float32Array<ArrayBuffer> | undefined> {
    const { module, parts, bias } = LINEARS[name];
    if (!this.config[bias]) {
      this.#refuseBias(layer, name);
      return undefined;
    }
    const vectors = await Promise.all(parts.map(async (part) => {
      const { outputs } = this.#sizeOf(part);
      const vector = await this.#vector(this.#name(layer, `${module}.${part}`, "bias"), outputs);
      return vector.subarray(0, outputs);
    }));
    return name === "gated"
      ? gatedVector(vectors[0], vectors[1], gateTurn(gpu))
      : Float32Array.from(vectors.flatMap((vector) => [...vector]));
  }

  /** A bias that the config does not announce would be left out silently. */
  #refuseBias(layer: number, name: LinearName): void {
    const { module, parts } = LINEARS[name];
    const names = new Set(this.tensors.names());
    const found = parts.map((part) => this.#name(layer, `${module}.${part}`, "bias"))
      .find((bias) => names.has(bias));
    if (!found) return;
    throw new InputError(
      `${this.where}: "${found}" is there although config.json says there are no such biases.`,
    );
  }

  #sizeOf(part: typeof LINEARS[LinearName]["parts"][number]): { outputs: number; inputs: number } {
    const { hiddenSize, mlpSize, heads, keyValueHeads, headDim } = this.config;
    switch (part) {
      case "q_proj":
        return { outputs: heads * headDim, inputs: hiddenSize };
      case "k_proj":
      case "v_proj":
        return { outputs: keyValueHeads * headDim, inputs: hiddenSize };
      case "o_proj":
        return { outputs: hiddenSize, inputs: heads * headDim };
      case "gate_proj":
      case "up_proj":
        return { outputs: mlpSize, inputs: hiddenSize };
      case "down_proj":
        return { outputs: hiddenSize, inputs: mlpSize };
    }
  }

  #name(layer: number, module: string, leaf: string): string {
    return `${this.#prefix}layers.${layer}.${module}.${leaf}`;
  }

  #matrix(name: string, rows: number, columns: number): MatrixSource {
    return matrixOf(this.tensors, name, rows, columns, this.where);
  }

  #vector(name: string, length: number): Promise<Float32Array<ArrayBuffer>> {
    return vectorOf(this.tensors, name, length, this.where);
  }
}
