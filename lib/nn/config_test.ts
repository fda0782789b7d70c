import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { parseLlamaConfig } from "./config.ts";
import { inverseFrequencies } from "./rope_table.ts";

const CONFIG = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 8,
  vocab_size: 100,
};

const LLAMA3 = {
  rope_type: "llama3",
  factor: 32,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

Deno.test("config: what is left out has the defaults of transformers", () => {
  assert.deepEqual(parseLlamaConfig(CONFIG, "config.json"), {
    layers: 2,
    hiddenSize: 64,
    mlpSize: 128,
    heads: 8,
    keyValueHeads: 8,
    headDim: 8,
    vocabularySize: 100,
    normEpsilon: 1e-6,
    ropeTheta: 10000,
    ropeScaling: { type: "none" },
    tiedEmbeddings: false,
    attentionBias: false,
    mlpBias: false,
    bosTokenId: undefined,
  });
});

Deno.test("config: both spellings of rotary scaling", () => {
  const parse = (fields: object) => parseLlamaConfig({ ...CONFIG, ...fields }, "config.json");
  const scaling = {
    type: "llama3",
    factor: 32,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalContext: 8192,
  };
  assert.deepEqual(parse({ rope_theta: 5e5, rope_scaling: LLAMA3 }).ropeScaling, scaling);
  const newer = parse({ rope_parameters: { ...LLAMA3, rope_theta: 5e5 } });
  assert.deepEqual([newer.ropeScaling, newer.ropeTheta], [scaling, 5e5]);
  assert.deepEqual(parse({ rope_scaling: { type: "linear", factor: 4 } }).ropeScaling, {
    type: "linear",
    factor: 4,
  });
});

Deno.test("config: a field that is missing, malformed or not supported is named", () => {
  const refuses = (fields: object, message: RegExp) =>
    assert.throws(
      () => parseLlamaConfig({ ...CONFIG, ...fields }, "config.json"),
      (error: Error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, message);
        assert.match(error.message, /config\.json/);
        return true;
      },
    );
  refuses({ model_type: "gemma2" }, /"model_type" is "gemma2", but only "llama"/);
  refuses({ hidden_act: "gelu" }, /"hidden_act"/);
  refuses({ hidden_size: "64" }, /"hidden_size"/);
  refuses({ num_hidden_layers: undefined }, /"num_hidden_layers"/);
  refuses({ head_dim: 6 }, /"head_dim" is 6, but only a multiple of 4/);
  refuses({ num_key_value_heads: 3 }, /"num_key_value_heads" is 3, but only a divisor/);
  refuses({ quantization_config: { bits: 4 } }, /"quantization_config"/);
  const deep = JSON.parse("[".repeat(50_000) + "]".repeat(50_000));
  refuses({ quantization_config: deep }, /"quantization_config" is there, but only a checkpoint/);
  refuses({ rope_scaling: { type: "yarn", factor: 2 } }, /"rope_scaling" has type "yarn"/);
  refuses({ rope_scaling: { ...LLAMA3, factor: undefined } }, /"rope_scaling.factor" is missing/);
});

Deno.test("llama3 scaling keeps high frequencies, divides low ones and blends in between", () => {
  const fields = { ...CONFIG, head_dim: 64, rope_theta: 5e5 };
  const plain = inverseFrequencies(parseLlamaConfig(fields, ""));
  const scaled = inverseFrequencies(parseLlamaConfig({ ...fields, rope_scaling: LLAMA3 }, ""));
  plain.forEach((frequency, i) => {
    const wavelength = 2 * Math.PI / frequency;
    const ratio = scaled[i] / frequency;
    if (wavelength < 8192 / 4) assert.equal(ratio, 1);
    else if (wavelength > 8192) assert.equal(ratio, 1 / 32);
    else assert.ok(ratio > 1 / 32 && ratio < 1);
  });
  assert.equal(plain.filter((_, i) => scaled[i] === plain[i]).length, 15);
});
