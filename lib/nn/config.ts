/** What config.json says of a Llama, checked: a field that this program would ignore is refused. */
import { z } from "zod";
import { InputError } from "../formats/input_error.ts";

/** How rotary frequencies are stretched for long contexts. */
export type RopeScaling =
  | { readonly type: "none" }
  | { readonly type: "linear"; readonly factor: number }
  | {
    readonly type: "llama3";
    readonly factor: number;
    readonly lowFrequencyFactor: number;
    readonly highFrequencyFactor: number;
    readonly originalContext: number;
  }
  /** One divisor per frequency, as GGUF files spell llama3's scaling out. */
  | { readonly type: "divisors"; readonly divisors: readonly number[] };

/** A Llama's shape. */
export interface LlamaConfig {
  readonly layers: number;
  readonly hiddenSize: number;
  /** Neurons of each MLP. */
  readonly mlpSize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly vocabularySize: number;
  /** Added to the mean square in RMSNorm. */
  readonly normEpsilon: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  /** The unembedding is the embedding table. */
  readonly tiedEmbeddings: boolean;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly bosTokenId: number | undefined;
}

const size = z.number().int().positive();

const Rope = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: size.optional(),
});

const Config = z.looseObject({
  model_type: z.string(),
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  vocab_size: size,
  hidden_act: z.string().default("silu"),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: Rope.nullish(),
  rope_parameters: Rope.nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  bos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  quantization_config: z.unknown().optional(),
});

type Fields = z.infer<typeof Config>;

/**
 * Reads config.json of an HF checkpoint.
 *
 * @param json its parsed content
 * @param where names the file in messages
 * @throws InputError naming the first field that is missing, malformed or not supported
 */
export function parseLlamaConfig(json: unknown, where: string): LlamaConfig {
  const parsed = Config.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${where}: field "${issue.path.join(".")}": ${issue.message}.`);
  }
  const fields = parsed.data;
  refuseUnsupported(fields, where);
  const heads = fields.num_attention_heads;
  const bos = fields.bos_token_id;
  return {
    layers: fields.num_hidden_layers,
    hiddenSize: fields.hidden_size,
    mlpSize: fields.intermediate_size,
    heads,
    keyValueHeads: fields.num_key_value_heads ?? heads,
    headDim: headDimOf(fields),
    vocabularySize: fields.vocab_size,
    normEpsilon: fields.rms_norm_eps,
    ropeTheta: fields.rope_parameters?.rope_theta ?? fields.rope_theta ?? 10000,
    ropeScaling: parseRopeScaling(fields, where),
    tiedEmbeddings: fields.tie_word_embeddings,
    attentionBias: fields.attention_bias,
    mlpBias: fields.mlp_bias,
    bosTokenId: (Array.isArray(bos) ? bos[0] : bos) ?? undefined,
  };
}

function headDimOf(fields: Fields): number {
  return fields.head_dim ?? fields.hidden_size / fields.num_attention_heads;
}

function refuseUnsupported(fields: Fields, where: string): void {
  const refuse = (field: string, value: unknown, expected: string) => {
    throw new InputError(
      `${where}: "${field}" is ${JSON.stringify(value)}, but only ${expected} is supported.`,
    );
  };
  if (fields.model_type !== "llama") refuse("model_type", fields.model_type, '"llama"');
  if (fields.hidden_act !== "silu") refuse("hidden_act", fields.hidden_act, '"silu"');
  if (fields.quantization_config) {
    throw new InputError(
      `${where}: "quantization_config" is there, but only a checkpoint without quantisation is ` +
        `supported.`,
    );
  }
  const headDim = headDimOf(fields);
  if (headDim % 4 !== 0) refuse("head_dim", headDim, "a multiple of 4");
  const heads = fields.num_attention_heads;
  const keyValueHeads = fields.num_key_value_heads ?? heads;
  if (heads % keyValueHeads !== 0) {
    refuse("num_key_value_heads", keyValueHeads, `a divisor of num_attention_heads (${heads})`);
  }
}

/** transformers 4 writes rope_scaling with "type" or "rope_type", transformers 5 rope_parameters. */
function parseRopeScaling(fields: Fields, where: string): RopeScaling {
  const [field, rope] = fields.rope_parameters
    ? ["rope_parameters", fields.rope_parameters] as const
    : ["rope_scaling", fields.rope_scaling] as const;
  const type = rope?.rope_type ?? rope?.type ?? "default";
  if (!rope || type === "default") return { type: "none" };
  const need = (name: keyof typeof rope): number => {
    const value = rope[name];
    if (typeof value === "number") return value;
    throw new InputError(
      `${where}: field "${field}.${String(name)}" is missing for type "${type}".`,
    );
  };
  if (type === "linear") return { type, factor: need("factor") };
  if (type === "llama3") {
    return {
      type,
      factor: need("factor"),
      lowFrequencyFactor: need("low_freq_factor"),
      highFrequencyFactor: need("high_freq_factor"),
      originalContext: need("original_max_position_embeddings"),
    };
  }
  throw new InputError(
    `${where}: "${field}" has type "${type}", but only "default", "linear" and "llama3" are supported.`,
  );
}
