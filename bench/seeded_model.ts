/** A Llama of any shape with random weights, each made when it is read: no file, no download. */
import { InputError } from "../lib/formats/input_error.ts";
import type { TensorInfo, TensorSource } from "../lib/formats/tensor_source.ts";
import type { LlamaConfig } from "../lib/nn/config.ts";
import { seededMatrix } from "./seeded_matrix.ts";

/** What is chosen of a shape; heads are 64 wide and keys as many as queries. */
export type ModelShape = Pick<LlamaConfig, "layers" | "hiddenSize" | "mlpSize" | "vocabularySize">;

const HEAD_DIM = 64;

export function seededConfig(shape: ModelShape): LlamaConfig {
  const heads = shape.hiddenSize / HEAD_DIM;
  return {
    ...shape,
    heads,
    keyValueHeads: heads,
    headDim: HEAD_DIM,
    normEpsilon: 1e-5,
    ropeTheta: 10000,
    ropeScaling: { type: "none" },
    tiedEmbeddings: true,
    attentionBias: false,
    mlpBias: false,
    bosTokenId: undefined,
  };
}

/** The tensors of a model, bf16: matrices whose outputs have the variance of their inputs, norms of ones. */
export function seededTensors(config: LlamaConfig): TensorSource {
  const shapes = new Map(tensorShapes(config));
  const seeds = new Map([...shapes.keys()].map((name, i) => [name, i << 20]));
  const shapeOf = (name: string) => {
    const shape = shapes.get(name);
    if (!shape) throw new InputError(`the random model has no tensor ${name}`);
    return shape;
  };
  return {
    metadata: {},
    names: () => [...shapes.keys()],
    info: (name): TensorInfo => {
      const shape = shapeOf(name);
      return { dtype: "BF16", shape, begin: 0, end: 2 * shape.reduce((a, b) => a * b) };
    },
    read: (name, from = 0, to) => {
      const [rows, columns] = shapeOf(name);
      if (columns === undefined) {
        return Promise.resolve(new Uint8Array(new Uint16Array(rows).fill(ONE).buffer));
      }
      return seededMatrix(name, "bf16", rows, columns, seeds.get(name) ?? 0).read(from, to ?? rows);
    },
    readColumns: (name) => {
      throw new RangeError(`columns of ${name} are not read by a forward pass`);
    },
  };
}

/** 1.0 in bf16. */
const ONE = 0x3f80;

function tensorShapes(config: LlamaConfig): [name: string, shape: readonly number[]][] {
  const { layers, hiddenSize: hidden, mlpSize: mlp, vocabularySize } = config;
  const layer = (i: number): [string, readonly number[]][] => [
    [`layers.${i}.input_layernorm`, [hidden]],
    [`layers.${i}.self_attn.q_proj`, [hidden, hidden]],
    [`layers.${i}.self_attn.k_proj`, [hidden, hidden]],
    [`layers.${i}.self_attn.v_proj`, [hidden, hidden]],
    [`layers.${i}.self_attn.o_proj`, [hidden, hidden]],
    [`layers.${i}.post_attention_layernorm`, [hidden]],
    [`layers.${i}.mlp.gate_proj`, [mlp, hidden]],
    [`layers.${i}.mlp.up_proj`, [mlp, hidden]],
    [`layers.${i}.mlp.down_proj`, [hidden, mlp]],
  ];
  const every: [string, readonly number[]][] = [
    ["embed_tokens", [vocabularySize, hidden]],
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    ["norm", [hidden]],
  ];
  return every.map(([name, shape]) => [`model.${name}.weight`, shape]);
}
